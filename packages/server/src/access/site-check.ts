/**
 * Protection of what changes a server against web pages of other sites (cross-site request forgery).
 *
 * A page may send requests to a server on localhost, whose user's browser can reach it, without being able to read the
 * answers: a form, a `fetch` without CORS, or, when the page's host name was made to resolve to this machine (DNS
 * rebinding), any request. So requests that change something
 *   – have a JSON content type, which no form has and for which `fetch` asks leave first,
 *   – come from this server's own pages or an allowed origin where they name an origin (`Origin`, `Sec-Fetch-Site`),
 *   – name, where no API key protects the server, a host that no stranger can register: an IP address, localhost, this
 *     machine's name, the address that the server listens on, or an allowed name.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { ServingError } from '../status/serving-error.ts';

/** Which sites may change a server. */
export interface SiteOptions {
  /** Origins of web pages that may call the server, such as https://shop.example; `*` allows reading only. */
  origins: readonly string[];
  /** Host names under which the server is reached, beside localhost and addresses. */
  hosts: readonly string[];
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json(?:\s*;|$)/i;

/** Whether a request names an origin, a host and a content type from which a change may come. @throws {ServingError} */
export function checkSite(headers: IncomingHttpHeaders, sites: SiteOptions, hasKeys: boolean): void {
  const { origin, host = '' } = headers;
  const site = headers['sec-fetch-site'];
  if (origin === undefined) {
    if (site === 'cross-site' || site === 'same-site') {
      throw new ServingError('PERMISSION_DENIED', `sec-fetch-site: expected a request of this site, got ${site}`);
    }
  } else if (!sites.origins.includes(origin) && hostOf(origin) !== host.toLowerCase()) {
    throw new ServingError('PERMISSION_DENIED', `origin: expected this server or an origin of --cors, got ${origin}`);
  }
  if (!hasKeys && !isTrustedHost(nameOf(host), sites.hosts)) {
    throw new ServingError(
      'PERMISSION_DENIED',
      `host: expected localhost, an IP address or a name of --allowed-hosts, got ${host || 'none'}`,
    );
  }
}

/**
 * Whether the body of a change is said to be JSON; a request without a body needs no type.
 *
 * @throws {Error} with status 415
 */
export function checkJsonType(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'];
  if (type === undefined ? !hasBody(headers) : JSON_TYPE.test(type)) return;
  throw Object.assign(new Error(`content-type: expected application/json, got ${type ?? 'none'}`), { statusCode: 415 });
}

/** The content types that a web page may send to another site without asking leave (the Fetch standard). */
const FORM_TYPE = /^(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i;

/** Whether the body of a change is not said to be of a form. @throws {Error} with status 415 */
export function checkNoForm(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'];
  if (type === undefined || !FORM_TYPE.test(type)) return;
  throw Object.assign(new Error(`content-type: expected application/json, got ${type}`), { statusCode: 415 });
}

/** Whether a request has a body. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Host and port of an origin; undefined where it has none, such as `null`, the origin of a sandboxed page. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
}

/** A host without its port and the brackets of an IPv6 address. */
function nameOf(host: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.toLowerCase()) ?? [];
  return bracketed ?? plain ?? '';
}

function isTrustedHost(name: string, allowed: readonly string[]): boolean {
  if (isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
  return name === hostname().toLowerCase() || allowed.some((host) => host.toLowerCase() === name);
}

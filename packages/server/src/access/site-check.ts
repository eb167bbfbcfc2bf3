/**
 * Protection against cross-site request forgery: web pages of other sites cannot change a server.
 *
 * A page in a user's browser can send requests to a server on that user's machine, although it cannot read the
 * responses: by a form, by a `fetch` without CORS or, if the page's host name was made to resolve to this machine (DNS
 * rebinding), by any request. So requests that change something must
 *   – have a JSON content type, which forms cannot send and `fetch` sends only after a CORS preflight request,
 *   – come from this server's own pages or an allowed origin, if they name an origin (`Origin`, `Sec-Fetch-Site`),
 *   – name, if no API key protects the server, a host that no stranger can register: an IP address, localhost, this
 *     machine's name, the address that the server listens on, or an allowed name.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { ServingError } from '../status/serving-error.ts';

/** The web sites and host names from which a server may be changed. */
export interface SiteOptions {
  /** Origins of web pages that may call the server, such as https://shop.example; `*` allows reading only. */
  origins: readonly string[];
  /** Host names under which the server is reached, in addition to localhost and IP addresses. */
  hosts: readonly string[];
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json(?:\s*;|$)/i;

/**
 * Check that the origin, the host and the content type of a request are allowed to change the server.
 *
 * @throws {ServingError}
 */
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
 * Check that the content type of a request's body is JSON; a request without a body needs no content type.
 *
 * @throws {Error} with status 415
 */
export function checkJsonType(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'];
  if (type === undefined ? !hasBody(headers) : JSON_TYPE.test(type)) return;
  throw Object.assign(new Error(`content-type: expected application/json, got ${type ?? 'none'}`), { statusCode: 415 });
}

/** The content types that a web page may send to another site without a CORS preflight request (the Fetch standard). */
const FORM_TYPE = /^(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i;

/** Check that the content type of a request's body is not that of a form. @throws {Error} with status 415 */
export function checkNoForm(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'];
  if (type === undefined || !FORM_TYPE.test(type)) return;
  throw Object.assign(new Error(`content-type: expected application/json, got ${type}`), { statusCode: 415 });
}

/** Whether a request has a body. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Host and port of an origin; undefined for an origin without a host, such as `null`, the origin of a sandboxed page.
 */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
}

/** A host name or address, without a port and without the brackets of an IPv6 address. */
function nameOf(host: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.toLowerCase()) ?? [];
  return bracketed ?? plain ?? '';
}

function isTrustedHost(name: string, allowed: readonly string[]): boolean {
  if (isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
  return name === hostname().toLowerCase() || allowed.some((host) => host.toLowerCase() === name);
}

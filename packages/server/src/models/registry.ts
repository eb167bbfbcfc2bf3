/** The registry of a server's models, by name. */
import { ServingError, servableNotFound } from '../status/serving-error.ts';
import type { Model } from './model.ts';
import type { VersionChoice } from './model-versions.ts';
import type { ServedVersion } from './served-version.ts';
import type { VersionRecord } from './version-record.ts';

/** Finds models and versions by name. */
export class ModelRegistry {
  readonly #models = new Map<string, Model>();

  add(model: Model): void {
    this.#models.set(model.name, model);
  }

  get models(): Model[] {
    return [...this.#models.values()];
  }

  /** Every version that serves, of every model. */
  get served(): ServedVersion[] {
    return this.models.flatMap(({ records }) => records.flatMap(({ served }) => served ?? []));
  }

  has(name: string): boolean {
    return this.#models.has(name);
  }

  /** The only model of a server that has exactly one: the default for requests that name none. */
  get only(): Model | undefined {
    return this.#models.size === 1 ? this.models[0] : undefined;
  }

  /** @throws {ServingError} NOT_FOUND */
  find(name: string): Model {
    const model = this.#models.get(name);
    if (!model) throw servableNotFound(`Latest(${name})`);
    return model;
  }

  /** The version that a request names. @throws {ServingError} NOT_FOUND with TF Serving's messages */
  choose(name: string, choice: VersionChoice): ServedVersion {
    const model = this.#models.get(name);
    if (model) return model.choose(choice);
    // As in TF Serving, a label of an unknown model is reported as an unknown label.
    if (choice.label !== undefined) {
      throw new ServingError('INVALID_ARGUMENT', `Unrecognized servable version label: ${choice.label}`);
    }
    const which = choice.version === undefined ? `Latest(${name})` : `Specific(${name}, ${choice.version})`;
    throw servableNotFound(which);
  }

  /** The records that a status request asks for. @throws {ServingError} NOT_FOUND with TF Serving's messages */
  status(name: string, { version, label }: VersionChoice): VersionRecord[] {
    const model = this.#models.get(name);
    const records = model?.records ?? [];
    const wanted = label === undefined ? version : (model ?? this.find(name)).versionOfLabel(label);
    if (wanted === undefined) {
      if (records.length > 0) return records;
      throw new ServingError('NOT_FOUND', `Could not find any versions of model ${name}`);
    }
    const record = records.find((record) => record.version === wanted);
    if (!record) throw new ServingError('NOT_FOUND', `Could not find version ${wanted} of model ${name}`);
    return [record];
  }

  /** True when there is a model and every model serves. */
  get ready(): boolean {
    return this.#models.size > 0 && this.models.every((model) => model.newest !== undefined);
  }
}

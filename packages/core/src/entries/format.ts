/**
 * The types and functions of the file format of bundles and checkpoints (`shortlist/format`), for indexes and query models of your own
 * that are to be saved. Re-exports only.
 */

// bundle
export { type SavableIndex, saveIndex } from '../bundle/registry.ts';
// format
export type { Loaders, Part } from '../format/part.ts';
export type { Savable, Saved, SavedSection } from '../format/saved.ts';
export type { Json, JsonObject, NumberRange, SettingsReader } from '../format/settings.ts';
export type { Source } from '../format/source.ts';
export type { AsyncSink, Sink } from '../format/writer.ts';

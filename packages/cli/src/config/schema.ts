/** The JSON Schema of `shortlist.config.json`, made from the help pages, for editors. */
import { COMMAND_NAMES } from '../help.ts';
import { pageOptions } from './page-options.ts';

/** The schema, draft 2020-12. */
export function configSchema(): object {
  const section = (command: string): object => {
    const options = pageOptions(command).map(({ key, hasValue, description }) => [
      key,
      { type: key === 'features' ? ['string', 'object'] : hasValue ? ['string', 'number'] : 'boolean', description },
    ]);
    const files = {
      description: 'The positional arguments of the command.',
      anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    };
    const properties = { files, ...Object.fromEntries(options) };
    return { type: 'object', description: `Options of shortlist ${command}.`, properties, additionalProperties: false };
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'The configuration of a project that uses the shortlist command',
    type: 'object',
    properties: {
      $schema: { type: 'string' },
      ...Object.fromEntries(COMMAND_NAMES.map((command) => [command, section(command)])),
    },
    additionalProperties: false,
  };
}

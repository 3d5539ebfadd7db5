import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Ajv } from 'ajv';

const require = createRequire(import.meta.url);

/** schemaErrors returns how a JSON text violates the schema that @btfd/cli publishes for a command, or an empty array. */
export function schemaErrors(command: string, json: string): string[] {
  const path = require.resolve(`@btfd/cli/schema/${command}.schema.json`);
  const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
  // Some refer to definitions of others in their folder.
  for (const name of readdirSync(dirname(path)))
    ajv.addSchema(JSON.parse(readFileSync(join(dirname(path), name), 'utf8')), name);
  const validate = ajv.compile({ $ref: basename(path) });
  validate(JSON.parse(json));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';

const require = createRequire(import.meta.url);

/** schemaErrors returns how a JSON text violates the schema that @btfd/cli publishes for a command, or an empty array. */
export function schemaErrors(command: string, json: string): string[] {
  const path = require.resolve(`@btfd/cli/schema/${command}.schema.json`);
  const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
    JSON.parse(readFileSync(path, 'utf8')),
  );
  validate(JSON.parse(json));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

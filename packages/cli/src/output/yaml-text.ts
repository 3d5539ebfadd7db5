import { printableText } from './terminal.js';

/** yamlText is a value as YAML. What writes it is loaded here, as hardly anyone asks for it. */
export async function yamlText(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return printableText(stringify(value));
}

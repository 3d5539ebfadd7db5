import { type Document, parseDocument, type YAMLParseError } from 'yaml';
import { type Config, ConfigError, readConfig } from './config.js';

/** ConfigDocument is a config file with its comments and places. */
export interface ConfigDocument {
  readonly document: Document;
  readonly config: Config;
}

/**
 * parsedConfig parses a config file. It is a module of its own, since it loads YAML.
 *
 * @throws ConfigError if it is not YAML, or its content is invalid.
 */
export function parsedConfig(text: string, path: string): ConfigDocument {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new ConfigError(`${path}: ${inWords(error)}`);
  return { document, config: readConfig(valueOf(document, path), path) };
}

function inWords({ code, message }: YAMLParseError): string {
  if (code === 'MULTIPLE_DOCS') return 'has more than one document';
  return (message.split('\n')[0] ?? 'is not YAML').replace(/:$/, '');
}

function valueOf(document: Document, path: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // Aliases that expand to too many nodes.
    throw new ConfigError(`${path}: ${String(error).replace(/^\w*Error: /, '')}`);
  }
}

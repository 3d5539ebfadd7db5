import { pino, type Logger } from 'pino';
import { loggerOptions } from '../observe/logger.js';

/** LogLines is a logger like the daemon's, with its lines. */
export interface LogLines {
  readonly logger: Logger;
  readonly lines: Record<string, unknown>[];
}

/** logLines returns a logger that keeps its lines. */
export function logLines(level: string): LogLines {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(loggerOptions(level), { write: (line) => void lines.push(JSON.parse(line)) });
  return { logger, lines };
}

import { pino, type Logger } from 'pino';
import { loggerOptions } from '../observe/logger.js';

/** LogLines is a logger as the daemon's, with the lines it wrote. */
export interface LogLines {
  readonly logger: Logger;
  readonly lines: Record<string, unknown>[];
}

/** logLines makes a logger that keeps its lines. */
export function logLines(level: string): LogLines {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(loggerOptions(level), { write: (line) => void lines.push(JSON.parse(line)) });
  return { logger, lines };
}

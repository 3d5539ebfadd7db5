import type { Row } from '../run/row.js';
import { GROWTH_ROWS } from './growth.js';
import { LIBRARY_ROWS } from './library.js';
import { OBJECT_ROWS } from './objects.js';
import { PROCESS_ROWS } from './processes.js';
import { SERVER_ROWS } from './servers.js';
import { WIRE_ROWS } from './wire.js';

/** ROWS are all rows, in the order in which they are measured and reported. */
export const ROWS: readonly Row[] = [
  ...LIBRARY_ROWS,
  ...OBJECT_ROWS,
  ...PROCESS_ROWS,
  ...WIRE_ROWS,
  ...SERVER_ROWS,
  ...GROWTH_ROWS,
];

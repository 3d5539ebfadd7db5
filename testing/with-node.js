// Runs a script with a version of Node from npm: `node testing/with-node.js VERSION SCRIPT [ARGUMENT…]`.
import { nodeVersion } from './node-version.js';
import { run } from './set-up.js';

const [version, ...args] = process.argv.slice(2);
const { program, env } = nodeVersion(version);
run(program, args, env);

// Runs the fuzzer in a process of its own, which its parent bounds in memory and time:
//
//     node dist/testing/fuzz/main.js TARGET INPUTS SEED
//
// Prints a FuzzReport as JSON.
import { Coverage } from './coverage.js';
import { coverageFuzz } from './coverage-fuzz.js';
import { FUZZ_TARGETS } from './targets.js';

const [name, inputs, seed] = process.argv.slice(2);
const target = FUZZ_TARGETS.find((candidate) => candidate.name === name);
if (target === undefined) throw new Error(`no target ${name}`);
using coverage = new Coverage(new URL('../../', import.meta.url).href, '/testing/');
console.log(JSON.stringify(coverageFuzz(target, coverage, Number(inputs), Number(seed))));

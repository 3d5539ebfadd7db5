// Relocates or checks BPF objects in one process, and prints one line of JSON, as `libbpf-objects` does:
//
//     node objects-driver.js relocate|check VMLINUX FOLDER COUNT
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkObject, parseBpfObject, resolveRelocations, Spec } from '@btfd/btf';

const [, , mode = '', vmlinux = '', folder = '', count = '1'] = process.argv;
if (mode !== 'relocate' && mode !== 'check') {
  console.error('usage: objects-driver.js relocate|check VMLINUX FOLDER COUNT');
  process.exit(2);
}
const kernel = Spec.parse(new Uint8Array(readFileSync(vmlinux)));
const objects = readdirSync(folder)
  .toSorted()
  .map((name) => {
    const bytes = new Uint8Array(readFileSync(join(folder, name)));
    return { name, run: () => open(bytes), costs: costs() };
  });
const together = costs();
for (let left = Number(count); left > 0; left--) {
  measure(together, () => {
    for (const { run } of objects) run();
  });
  for (const { run, costs: own } of objects) measure(own, run);
}
console.log(
  JSON.stringify({
    together,
    objects: objects.map(({ name, costs: { cpuUs, wallUs } }) => ({ name, cpuUs, wallUs })),
    result: String(resolvedCount()),
  }),
);

interface Costs {
  readonly cpuUs: number[];
  readonly wallUs: number[];
}

function costs(): Costs {
  return { cpuUs: [], wallUs: [] };
}

function open(bytes: Uint8Array): void {
  if (mode === 'check') checkObject(parseBpfObject(bytes), { kernel });
  else resolveRelocations(parseBpfObject(bytes), { kernel });
}

function measure({ cpuUs, wallUs }: Costs, run: () => void): void {
  const cpu = process.cpuUsage();
  const started = performance.now();
  run();
  wallUs.push((performance.now() - started) * 1000);
  const { user, system } = process.cpuUsage(cpu);
  cpuUs.push(user + system);
}

/** Returns the number of relocations that a loader resolves or poisons, which libbpf's log also has. */
function resolvedCount(): number {
  const all = readdirSync(folder).flatMap(
    (name) => resolveRelocations(parseBpfObject(readFileSync(join(folder, name))), { kernel }).relocations,
  );
  return all.filter(({ outcome }) => outcome !== 'SKIPPED').length;
}

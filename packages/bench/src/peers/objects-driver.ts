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
    const cpuUs: number[] = [];
    const wallUs: number[] = [];
    return { name, bytes: new Uint8Array(readFileSync(join(folder, name))), cpuUs, wallUs };
  });
for (let left = Number(count); left > 0; left--) {
  for (const { bytes, cpuUs, wallUs } of objects) {
    const cpu = process.cpuUsage();
    const started = performance.now();
    if (mode === 'check') checkObject(parseBpfObject(bytes), { kernel });
    else resolveRelocations(parseBpfObject(bytes), { kernel });
    wallUs.push((performance.now() - started) * 1000);
    const { user, system } = process.cpuUsage(cpu);
    cpuUs.push(user + system);
  }
}
console.log(
  JSON.stringify({
    objects: objects.map(({ name, cpuUs, wallUs }) => ({ name, cpuUs, wallUs })),
    result: String(resolvedCount()),
  }),
);

/** Returns the number of relocations that a loader resolves or poisons, which libbpf's log also has. */
function resolvedCount(): number {
  const all = objects.flatMap(
    ({ bytes }) => resolveRelocations(parseBpfObject(bytes), { kernel }).relocations,
  );
  return all.filter(({ outcome }) => outcome !== 'SKIPPED').length;
}

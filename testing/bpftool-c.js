import { execFileSync } from 'node:child_process';

/** The declarations of kernel functions, and the macros for them, that bpftool adds since 7.5. */
const KFUNCS =
  /^#ifndef (?:__ksym|__weak)\n#define .*\n#endif\n\n|^\n[/][*] BPF kfuncs [*][/]\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n[^]*?^#endif\n\n/gm;

/** bpftoolC returns the BTF in a file as C by bpftool, in the order and with the declarations of bpftool 7.1. */
export function bpftoolC(path, basePath) {
  const base = basePath === undefined ? [] : ['-B', basePath];
  const format = ['format', 'c', ...(sorts() ? ['unsorted'] : [])];
  return withoutKfuncs(
    execFileSync('bpftool', [...base, 'btf', 'dump', 'file', path, ...format], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

/** withoutKfuncs returns the C text of bpftool without the declarations that bpftool 7.1 does not print. */
export function withoutKfuncs(text) {
  return text.replaceAll(KFUNCS, '');
}

/** Reports whether bpftool sorts types unless it is asked not to, as it does since 7.5. */
function sorts() {
  const version = execFileSync('bpftool', ['version'], { encoding: 'utf8' });
  const [, major, minor] = /v(\d+)[.](\d+)/.exec(version) ?? [];
  return Number(major) > 7 || (Number(major) === 7 && Number(minor) >= 5);
}

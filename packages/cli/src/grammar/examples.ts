/**
 * EXAMPLES are the commands at the end of the help of each command. A test runs them.
 */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  list: ['btfctl list', 'btfctl list vmlinux -o wide', 'btfctl list --origin user -o json'],
  dump: [
    'btfctl dump vmlinux',
    'btfctl dump id 7 format c',
    'btfctl dump ./vmlinux.btf --type list_head --format layout',
  ],
  header: ['btfctl header > vmlinux.h', 'btfctl header --type bpf_task_acquire > task.h'],
  layout: ['btfctl layout sk_buff', 'btfctl layout "struct list_head" --in ./vmlinux.btf'],
  find: [
    'btfctl find "*list_head*" --kind func',
    'btfctl find --contains plist_node --nested --in vmlinux',
    'btfctl find --takes task_struct "bpf_task_*"',
  ],
  member: ['btfctl member task_struct.mm.pgd', 'btfctl member "struct sk_buff.cb[3]" --in ./vmlinux.btf'],
  value: [
    'btfctl value "struct list_head" --data value.bin',
    'echo 01 00 00 00 | btfctl value "unsigned int" --in id:7 --hex',
  ],
  diff: ['btfctl diff vmlinux ./vmlinux.btf', 'btfctl diff @web1 @web2 --type task_struct'],
  load: ['btfctl load program.bpf.o', 'btfctl load ./types.btf --log'],
  check: ['btfctl check program.bpf.o', 'btfctl check ./types.btf --log > log.txt'],
  compat: [
    'btfctl compat program.bpf.o',
    'btfctl compat ./agent --on @web1 --on @web2',
    'btfctl compat build/ --on /sys/kernel/btf -o markdown',
  ],
  hold: ['btfctl hold vmlinux -- sh -c "echo $BTF_ID"', 'btfctl hold 7 -- bpftool btf dump id 7'],
  watch: ['btfctl watch --new', 'btfctl watch "nf_*" -o json'],
  info: ['btfctl info', 'btfctl info --address unix:/run/btfd/btfd.sock -o json'],
  'context list': ['btfctl context list', 'btfctl context list -o json'],
  'context use': ['btfctl context use web1', 'btfctl context use web1 --config ./config.yaml'],
  'context set': [
    'btfctl context set here --address unix:/run/btfd/btfd.sock',
    'btfctl context set web1 --address web1.example:7443 --tls-ca ca.pem --tls-cert me.pem --tls-key me.key',
  ],
  'context remove': ['btfctl context remove web1', 'btfctl context remove web1 --config ./config.yaml'],
  'fleet kernels': [
    'btfctl fleet kernels --dns btfd.btfd.svc.cluster.local:7443',
    'btfctl fleet kernels --nodes-file nodes.txt --nodes',
  ],
  'fleet compat': [
    'btfctl fleet compat ./agent --dns btfd.btfd.svc.cluster.local:7443',
    'btfctl fleet compat build/ --nodes-file nodes.txt -o markdown',
  ],
  'fleet member': [
    'btfctl fleet member task_struct.mm.pgd --nodes-file nodes.txt',
    'btfctl fleet member "task_struct.start_boottime|task_struct.real_start_time" --contexts "web*" -o json',
  ],
  'fleet find': [
    'btfctl fleet find tcp_sock --nodes-file nodes.txt',
    'btfctl fleet find "bpf_task_*" --kind func --contexts "web*"',
  ],
  'fleet diff': [
    'btfctl fleet diff --from @web1 --type task_struct --nodes-file nodes.txt',
    'btfctl fleet diff --from ./vmlinux.btf --type "bpf_*" --contexts "web*"',
  ],
  'fleet watch': [
    'btfctl fleet watch --dns btfd.btfd.svc.cluster.local:7443 --new',
    'btfctl fleet watch --nodes-file nodes.txt --interval 10s -o json',
  ],
  'fleet register': [
    'btfctl fleet register --etcd etcd1:2379 --advertise web1.example:7443',
    'btfctl fleet register --etcd https://etcd1:2379,https://etcd2:2379 --etcd-ca ca.crt --etcd-cert web1.crt --etcd-key web1.key --name web1 --advertise web1.example:7443 --label zone=a',
  ],
  completion: ['source <(btfctl completion bash)', 'btfctl completion fish | source'],
  version: ['btfctl version', 'btfctl version -o json'],
  help: ['btfctl help dump', 'btfctl help context set'],
};

/** examplesHelp returns the part of a command's help with its examples; empty for commands that only have others. */
export function examplesHelp(name: string): string {
  const lines = EXAMPLES[name] ?? [];
  return lines.length === 0 ? '' : `\n\nFor example:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

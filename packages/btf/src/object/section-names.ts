/** SectionName is what a loader learns of a program from the name of its section. */
export interface SectionName {
  /** The name up to the part that says what to attach to. */
  readonly prefix: string;
  /** Whether `/` and more may follow: what to attach to, or an option. */
  readonly open: boolean;
  /** The value of `enum bpf_prog_type` without `BPF_PROG_TYPE_`. */
  readonly programType: string;
  /** The value of `enum bpf_attach_type` without `BPF_`; null if the section does not say. */
  readonly attachType: string | null;
  /** Whether the program may sleep. */
  readonly sleepable: boolean;
}

/**
 * The names of sections by program type. A word is `NAME`, `NAME+` if more may follow, or either with `=ATTACH_TYPE`. A
 * name that ends in `.s` is sleepable.
 *
 * The convention of libbpf 1.8: https://docs.kernel.org/bpf/libbpf/program_types.html
 */
const NAMES: Readonly<Record<string, string>> = {
  SOCKET_FILTER: 'socket',
  SK_REUSEPORT: 'sk_reuseport/migrate=SK_REUSEPORT_SELECT_OR_MIGRATE sk_reuseport=SK_REUSEPORT_SELECT',
  KPROBE:
    'kprobe+ kretprobe+ ksyscall+ kretsyscall+ uprobe+ uprobe.s+ uretprobe+ uretprobe.s+ usdt+ usdt.s+ ' +
    'kprobe.multi+=TRACE_KPROBE_MULTI kretprobe.multi+=TRACE_KPROBE_MULTI kprobe.session+=TRACE_KPROBE_SESSION ' +
    'uprobe.multi+=TRACE_UPROBE_MULTI uprobe.multi.s+=TRACE_UPROBE_MULTI uretprobe.multi+=TRACE_UPROBE_MULTI ' +
    'uretprobe.multi.s+=TRACE_UPROBE_MULTI uprobe.session+=TRACE_UPROBE_SESSION uprobe.session.s+=TRACE_UPROBE_SESSION',
  SCHED_CLS:
    'tc tc/ingress=TCX_INGRESS tc/egress=TCX_EGRESS tcx/ingress=TCX_INGRESS tcx/egress=TCX_EGRESS classifier ' +
    'netkit/primary=NETKIT_PRIMARY netkit/peer=NETKIT_PEER',
  SCHED_ACT: 'action',
  TRACEPOINT: 'tracepoint+ tracepoint.s+ tp+ tp.s+',
  RAW_TRACEPOINT: 'raw_tracepoint+ raw_tracepoint.s+ raw_tp+ raw_tp.s+',
  RAW_TRACEPOINT_WRITABLE: 'raw_tracepoint.w+ raw_tp.w+',
  TRACING:
    'tp_btf+=TRACE_RAW_TP tp_btf.s+=TRACE_RAW_TP fentry+=TRACE_FENTRY fentry.s+=TRACE_FENTRY fexit+=TRACE_FEXIT ' +
    'fexit.s+=TRACE_FEXIT fmod_ret+=MODIFY_RETURN fmod_ret.s+=MODIFY_RETURN fsession+=TRACE_FSESSION ' +
    'fsession.s+=TRACE_FSESSION fentry.multi+=TRACE_FENTRY_MULTI fentry.multi.s+=TRACE_FENTRY_MULTI ' +
    'fexit.multi+=TRACE_FEXIT_MULTI fexit.multi.s+=TRACE_FEXIT_MULTI fsession.multi+=TRACE_FSESSION_MULTI ' +
    'fsession.multi.s+=TRACE_FSESSION_MULTI iter+=TRACE_ITER iter.s+=TRACE_ITER',
  EXT: 'freplace+',
  LSM: 'lsm+=LSM_MAC lsm.s+=LSM_MAC lsm_cgroup+=LSM_CGROUP',
  SYSCALL: 'syscall',
  XDP:
    'xdp=XDP xdp.frags=XDP xdp/devmap=XDP_DEVMAP xdp.frags/devmap=XDP_DEVMAP xdp/cpumap=XDP_CPUMAP ' +
    'xdp.frags/cpumap=XDP_CPUMAP',
  PERF_EVENT: 'perf_event',
  LWT_IN: 'lwt_in',
  LWT_OUT: 'lwt_out',
  LWT_XMIT: 'lwt_xmit',
  LWT_SEG6LOCAL: 'lwt_seg6local',
  SOCK_OPS: 'sockops=CGROUP_SOCK_OPS',
  SK_SKB:
    'sk_skb sk_skb/stream_parser=SK_SKB_STREAM_PARSER sk_skb/stream_verdict=SK_SKB_STREAM_VERDICT ' +
    'sk_skb/verdict=SK_SKB_VERDICT',
  SK_MSG: 'sk_msg=SK_MSG_VERDICT',
  LIRC_MODE2: 'lirc_mode2=LIRC_MODE2',
  FLOW_DISSECTOR: 'flow_dissector=FLOW_DISSECTOR',
  CGROUP_SKB: 'cgroup/skb cgroup_skb/ingress=CGROUP_INET_INGRESS cgroup_skb/egress=CGROUP_INET_EGRESS',
  CGROUP_SOCK:
    'cgroup/sock=CGROUP_INET_SOCK_CREATE cgroup/sock_create=CGROUP_INET_SOCK_CREATE ' +
    'cgroup/sock_release=CGROUP_INET_SOCK_RELEASE cgroup/post_bind4=CGROUP_INET4_POST_BIND ' +
    'cgroup/post_bind6=CGROUP_INET6_POST_BIND',
  CGROUP_SOCK_ADDR:
    'cgroup/bind4=CGROUP_INET4_BIND cgroup/bind6=CGROUP_INET6_BIND cgroup/connect4=CGROUP_INET4_CONNECT ' +
    'cgroup/connect6=CGROUP_INET6_CONNECT cgroup/connect_unix=CGROUP_UNIX_CONNECT cgroup/sendmsg4=CGROUP_UDP4_SENDMSG ' +
    'cgroup/sendmsg6=CGROUP_UDP6_SENDMSG cgroup/sendmsg_unix=CGROUP_UNIX_SENDMSG cgroup/recvmsg4=CGROUP_UDP4_RECVMSG ' +
    'cgroup/recvmsg6=CGROUP_UDP6_RECVMSG cgroup/recvmsg_unix=CGROUP_UNIX_RECVMSG ' +
    'cgroup/getpeername4=CGROUP_INET4_GETPEERNAME cgroup/getpeername6=CGROUP_INET6_GETPEERNAME ' +
    'cgroup/getpeername_unix=CGROUP_UNIX_GETPEERNAME cgroup/getsockname4=CGROUP_INET4_GETSOCKNAME ' +
    'cgroup/getsockname6=CGROUP_INET6_GETSOCKNAME cgroup/getsockname_unix=CGROUP_UNIX_GETSOCKNAME',
  CGROUP_SYSCTL: 'cgroup/sysctl=CGROUP_SYSCTL',
  CGROUP_SOCKOPT: 'cgroup/getsockopt=CGROUP_GETSOCKOPT cgroup/setsockopt=CGROUP_SETSOCKOPT',
  CGROUP_DEVICE: 'cgroup/dev=CGROUP_DEVICE',
  STRUCT_OPS: 'struct_ops+ struct_ops.s+',
  SK_LOOKUP: 'sk_lookup=SK_LOOKUP',
  NETFILTER: 'netfilter=NETFILTER',
};

/** A program of this type always sleeps, so its section does not say. */
const SLEEPS = 'SYSCALL';

/** SECTION_NAMES are the names of sections that libbpf 1.8 knows. */
export const SECTION_NAMES: readonly SectionName[] = /* @__PURE__ */ Object.entries(NAMES).flatMap(
  ([programType, words]) => words.split(' ').map((word) => rowOf(programType, word)),
);

function rowOf(programType: string, word: string): SectionName {
  const [pattern = '', attachType = null] = word.split('=');
  const open = pattern.endsWith('+');
  const prefix = open ? pattern.slice(0, -1) : pattern;
  return {
    prefix,
    open,
    programType,
    attachType,
    sleepable: programType === SLEEPS || prefix.endsWith('.s'),
  };
}

/**
 * sectionNameOf returns what the name of a program's section says.
 *
 * @param section a name such as `fentry/do_unlinkat`, also with a `?` before it.
 * @param rest whether anything may follow those names after which libbpf takes nothing, as cilium/ebpf takes
 * `classifier/name`.
 * @returns null for a name that the loader does not know. The program then needs a type from its loader.
 */
export function sectionNameOf(section: string, rest: 'NOTHING' | 'ANYTHING' = 'NOTHING'): SectionName | null {
  const name = section.startsWith('?') ? section.slice(1) : section;
  let found: SectionName | null = null;
  for (const row of SECTION_NAMES) {
    const { prefix, open } = row;
    const isOf =
      name === prefix ||
      (open ? name.startsWith(`${prefix}/`) : rest === 'ANYTHING' && name.startsWith(prefix));
    if (isOf && (found === null || prefix.length > found.prefix.length)) found = row;
  }
  return found;
}

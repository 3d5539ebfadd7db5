// Programs that each need one thing of a kernel module: a function to attach to, a kfunc, a struct.
#include "../../../btf/src/object/testdata/bpf.h"

/* libbpf compares kinds of types, for which a declaration is not a struct. */
struct __sk_buff {
  unsigned int len;
};
struct nf_conn {
  unsigned int mark;
};

/* Of tun.ko alone, with a member that all releases have. */
struct tun_struct {
  unsigned int numqueues;
} __attribute__((preserve_access_index));

/* The part of nf_conntrack.ko's struct that all releases have. */
struct bpf_ct_opts___local {
  int netns_id;
  int error;
  unsigned char l4proto;
  unsigned char dir;
  unsigned char reserved[2];
};
struct bpf_sock_tuple {
  unsigned int saddr, daddr;
  unsigned short sport, dport;
};

extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple, unsigned int size,
                                         struct bpf_ct_opts___local *opts, unsigned int opts_size) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *conn) __ksym __weak;

SEC("fentry/tun_net_xmit") int attach(void *context) { return 0; }

SEC("tc") int call(struct __sk_buff *skb) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_ct_opts___local opts = {.netns_id = -1, .l4proto = 6};
  struct nf_conn *conn = bpf_skb_ct_lookup(skb, &tuple, sizeof tuple, &opts, sizeof opts);
  if (conn) bpf_ct_release(conn);
  return 0;
}

SEC("socket") int read(struct __sk_buff *skb) {
  return __builtin_preserve_field_info(((struct tun_struct *)0)->numqueues, 0);
}

char _license[] SEC("license") = "GPL";

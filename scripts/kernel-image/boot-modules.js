/**
 * BOOT_MODULES are the modules of virtual machines, with the modules that they need. Few kernels have all of them. Those
 * in the first line are drivers of the machine.
 */
export const BOOT_MODULES = [
  ...['virtio_pci', 'virtio_net'],
  ...[
    '8021q',
    'bonding',
    'bridge',
    'br_netfilter',
    'dummy',
    'ifb',
    'ip6_tunnel',
    'ip_gre',
    'ipip',
    'ipvlan',
    'macvlan',
  ],
  ...['geneve', 'sit', 'team', 'tun', 'veth', 'vrf', 'vxlan', 'wireguard'],
  ...['nf_conntrack', 'nf_nat', 'nf_tables', 'nft_ct', 'nft_nat', 'ip_set', 'xt_conntrack'],
  ...['sch_netem', 'sch_fq', 'sch_htb', 'cls_flower', 'act_mirred'],
  ...['btrfs', 'ext4', 'fuse', 'isofs', 'overlay', 'squashfs', 'xfs'],
  ...['dm-mod', 'dm-crypt', 'loop', 'raid1'],
];

/** The drivers of the virtual machine. Newer kernels have virtio_pci built in. */
const DRIVERS = ['virtio_pci', 'virtio_net'];

/** Modules with BTF, of several parts of the kernel. Few kernels have all of them. */
const OTHERS = `
  8021q bonding br_netfilter bridge dummy geneve ifb ip6_tunnel ip_gre ipip ipvlan macvlan sit team tun veth vrf vxlan
  wireguard act_mirred cls_flower ip_set nf_conntrack nf_nat nf_tables nft_ct nft_nat sch_fq sch_htb sch_netem
  xt_conntrack btrfs ext4 fuse isofs overlay squashfs xfs dm-crypt dm-mod loop raid1
`;

/** BOOT_MODULES are the modules of virtual machines. They get what these need, too. */
export const BOOT_MODULES = [...DRIVERS, ...OTHERS.trim().split(/\s+/)];

#!/bin/busybox sh
# The first process of a virtual machine. It loads the driver of the network and starts the agent.
/bin/busybox --install -s /bin
export PATH=/opt/bin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /run /tmp /root
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mount -t bpf bpf /sys/fs/bpf
hostname machine
echo 'root:x:0:0:root:/root:/bin/sh
nobody:x:1000:1000:nobody:/:/bin/sh' >/etc/passwd
echo 'root:x:0:
nobody:x:1000:' >/etc/group
ip link set lo up
modprobe virtio_pci
modprobe virtio_net
ip address add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
setsid guest-agent serve 4000 </dev/null >/dev/console 2>&1 &
echo "init: ready after $(cut -d' ' -f1 /proc/uptime) s"
# PID 1 collects orphans.
while :; do wait; sleep 1; done

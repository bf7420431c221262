#!/bin/busybox sh
# First process of a lab guest: loads the modules, mounts the host's root read-only, and starts the agent in it.
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev /host
/bin/busybox --install -s /bin 2>/dev/null
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
. /unseat.env
echo "unseat-lab: init at $(cut -d' ' -f1 /proc/uptime)"
[ -n "$AUTO_ONLINE" ] && echo "$AUTO_ONLINE" > /sys/devices/system/memory/auto_online_blocks
for m in $(cat /modules/order); do
	insmod /modules/$m.ko || echo "unseat-lab: insmod $m failed"
done
for options in $NINEP_OPTIONS; do
	mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=524288$options hostroot /host && break
done
[ -e /host/proc ] || { echo "unseat-lab: the host's root cannot be mounted"; poweroff -f; }
mount -t proc proc /host/proc
mount -t sysfs sysfs /host/sys
mount -t devtmpfs devtmpfs /host/dev
mount -t debugfs debugfs /host/sys/kernel/debug 2>/dev/null
mount -t cgroup2 cgroup2 /host/sys/fs/cgroup 2>/dev/null
for place in $TMPFS; do mount -t tmpfs tmpfs /host$place; done
mkdir -p /host/dev/pts /host/dev/shm
mount -t devpts devpts /host/dev/pts
mount -t tmpfs tmpfs /host/dev/shm
# A scenario may take a module out and load it again; the host's root has none of this kernel.
mv /modules /host/run/modules
cp /unseat-guest /agent.mjs /unseat.env /second.sh /bin/busybox /host/run/
# The host's root becomes the guest's own, as on any machine: mount points are what pid 1 sees.
exec switch_root /host /bin/sh /run/second.sh

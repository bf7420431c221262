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
cp /unseat-guest /agent.mjs /host/run/
echo "unseat-lab: the agent starts at $(cut -d' ' -f1 /proc/uptime)"
# Without a cache in 9p every page of a mapped program is fetched by itself: one copy beforehand is faster.
[ -n "$COPY_NODE" ] && cp "/host$NODE" /host/run/node && NODE=/run/node
hostname lab 2>/dev/null
ip link set lo up 2>/dev/null
if [ -n "$SHELL_WANTED" ]; then
	echo "The host's root is here read-only; the project is in $PROJECT. Leave with exit."
	HOME=/run PS1='lab# ' PATH=$GUEST_PATH setsid cttyhack chroot /host /bin/sh
else
	HOME=/run TMPDIR=/run PATH=$GUEST_PATH chroot /host "$NODE" --no-warnings /run/agent.mjs "$PROJECT"
	echo "unseat-lab: the agent ended with status $?"
fi
poweroff -f

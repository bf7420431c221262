#!/bin/sh
# Second half of the guest's init, in the host's root: starts the agent, or a shell.
. /run/unseat.env
export HOME=/run TMPDIR=/run PATH="$GUEST_PATH"
# Every command and every child of unseat is a start of Node: what one has compiled the next one finds.
export NODE_COMPILE_CACHE=/run/compiled
/run/busybox hostname lab 2>/dev/null
/run/busybox ip link set lo up 2>/dev/null
# Without a cache in 9p every page of a mapped program is fetched by itself: one copy beforehand is faster.
[ -n "$COPY_NODE" ] && cp "$NODE" /run/node && NODE=/run/node
if [ -n "$SHELL_WANTED" ]; then
	echo "The host's root is here read-only; unseat is: $NODE $UNSEAT. Leave with exit."
	PS1='lab# ' /run/busybox setsid /run/busybox cttyhack /bin/sh
else
	echo "unseat-lab: the agent starts at $(cut -d' ' -f1 /proc/uptime)"
	"$NODE" --no-warnings /run/agent.mjs "$UNSEAT"
	echo "unseat-lab: the agent ended with status $?"
fi
/run/busybox poweroff -f

import { runOptions } from "./suite.ts";

/**
 * The first process of a lab, as a script for busybox's shell: it loads the modules with the
 * parameters of the kernel's command line, keeps a heart beating, and starts the suite.
 *
 * @param modules in the order of loading
 * @param agent path of the suite's script
 * @param denoDir Deno's folder, without the slash at its beginning
 */
export function initScript(modules: readonly string[], agent: string, denoDir: string): string {
  return `#!/bin/busybox sh
busybox=/bin/busybox
$busybox mount -t proc proc /proc
$busybox mount -t sysfs sys /sys
$busybox mount -t devtmpfs dev /dev
# The channel stays open: the last one to close a serial port resets it.
exec 3<>/dev/ttyS1 || { echo "trapline: the kernel has no second serial port"; $busybox reboot -f; }
$busybox stty -F /dev/ttyS1 raw -echo 115200
echo "stage init" >&3
# From here on the console has all that the kernel says, and what KVM should not do ends it.
echo 8 > /proc/sys/kernel/printk
echo 1 > /proc/sys/kernel/panic_on_oops
echo 1 > /proc/sys/kernel/panic_on_warn
echo 1 > /proc/sys/kernel/sysrq
echo 1 > /proc/sys/vm/overcommit_memory

fail() {
  echo "failed $1" >&3
  $busybox sleep 60
}

# A pause without a process of its own: nothing is ever written there.
$busybox mkfifo /tmp/pause
heartbeat() {
  exec 4<>/tmp/pause
  while :; do
    read -t 2 _ <&4
    echo heartbeat >&3
  done
}
heartbeat &

for module in ${modules.join(" ")}; do
  set --
  for word in $($busybox cat /proc/cmdline); do
    case $word in "$module".*) set -- "$@" "\${word#*.}" ;; esac
  done
  refused=$($busybox insmod /modules/$module.ko "$@" 2>&1) || fail "$module.ko $*: \${refused##*: }"
done
echo "stage modules" >&3
export HOME=/tmp DENO_DIR=/${denoDir} NO_COLOR=1 DENO_NO_UPDATE_CHECK=1
/bin/deno ${runOptions.join(" ")} "${agent}"
fail "the suite ended with status $?"
`;
}

import { asm, CLOCK_REALTIME, defineCases } from "../../mod.ts";

/** A day, in nanoseconds. */
const DAY = 86_400_000_000_000n;

const rows = {
  "forward": { clock: DAY, realtime: false },
  "back": { clock: 0n, realtime: false },
  // What has passed since `realtime`, an hour, is added.
  "realtime": { clock: DAY, realtime: true },
};

/** kvmclock goes on from where it was set, and never back. */
export default defineCases("system/clock", rows, ({ clock, realtime }) => ({
  spec: ["KVM API 4.29: KVM_GET_CLOCK", "KVM API 4.30: KVM_SET_CLOCK"],
  mode: "real",
  requires: [
    realtime
      ? { capability: "KVM_CAP_ADJUST_CLOCK", atLeast: CLOCK_REALTIME }
      : "KVM_CAP_ADJUST_CLOCK",
  ],
  guest: asm`
    out 0x10, al
    hlt
  `,
  drive({ vm, run, attempt, assertEquals }) {
    const first = vm.clock();
    const flags = vm.checkExtension("KVM_CAP_ADJUST_CLOCK");
    assertEquals("flags that KVM does not tell of", first.flags & ~flags, 0);
    assertEquals("it goes on", vm.clock().clock >= first.clock, true);
    const hour = DAY / 24n;
    const before = BigInt(Date.now()) * 1_000_000n;
    if (realtime) {
      vm.setClock({ clock, flags: CLOCK_REALTIME, realtime: before - hour });
    } else {
      vm.setClock({ clock });
    }
    const start = clock + (realtime ? hour : 0n);
    const set = vm.clock().clock;
    // Less than an hour has passed since, however slow this machine is.
    assertEquals("it is what was set", set >= start && set < start + hour, true);
    run();
    assertEquals("it goes on while the guest runs", vm.clock().clock >= set, true);
    // A flag that KVM_GET_CLOCK gives is taken and ignored; any other is refused.
    vm.setClock({ ...first, clock: start, flags: first.flags & ~CLOCK_REALTIME });
    attempt(() => vm.setClock({ clock, flags: 0x80000000 }));
    attempt(() => vm.setClock({ clock, flags: 1 }));
  },
  trace: `
    > set-clock
    pio out 0x10 u8 0x0
    > set-clock
    > set-clock -> EINVAL
    > set-clock -> EINVAL
    hlt
  `,
}));

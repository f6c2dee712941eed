import { asm, defineCases } from "../../mod.ts";

const SYSTEM_TIME = 0x4b564d01;
/** Guest physical address of the guest's pvclock structure. */
const CLOCK = 0xa000;
const STOPPED = 2;
/** A day and an hour, in nanoseconds. */
const [DAY, HOUR] = [86_400_000_000_000n, 3_600_000_000_000n];

const rows = {
  "as-it-is": undefined,
  "a-day": DAY,
  "a-year": 365n * DAY,
};

/** The time that a guest computes from its clock's page is the one that the host gets and sets. */
export default defineCases("paravirt/clock-set", rows, (clock) => ({
  spec: [
    "KVM x86 MSRs: MSR_KVM_SYSTEM_TIME_NEW (how the time is computed)",
    "KVM API 4.29: KVM_GET_CLOCK",
    "KVM API 4.70: KVM_KVMCLOCK_CTRL (cleared exclusively by the guest)",
    "KVM API 4.30: KVM_SET_CLOCK",
  ],
  mode: "long",
  withoutLens: { restore: "KVM keeps the news for the next entry, and tells nobody of it" },
  requires: [{ cpuid: "KVM-CLOCKSOURCE2" }, "KVM_CAP_ADJUST_CLOCK", "KVM_CAP_KVMCLOCK_CTRL"],
  guest: asm`
    out 0x10, al                    ; the host sets the clock
    rdtsc
    hlt
  `,
  drive({ vm, vcpu, run, read, write, assertEquals }) {
    write(CLOCK, Uint8Array.of(5));
    vcpu.setMsrs([{ index: SYSTEM_TIME, data: BigInt(CLOCK | 1) }]);
    vcpu.kvmclockControl();
    run();
    if (clock !== undefined) vm.setClock({ clock });
    const host = vm.clock().clock;
    run();
    const page = new DataView(read(CLOCK, 32).buffer);
    const { rax, rdx } = vcpu.regs();
    const shift = page.getInt8(28);
    const passed = (rdx << 32n | rax) - page.getBigUint64(8, true);
    const shifted = shift < 0 ? passed >> BigInt(-shift) : passed << BigInt(shift);
    const guest = page.getBigUint64(16, true) +
      (shifted * BigInt(page.getUint32(24, true)) >> 32n);
    // However slow this machine is, less than an hour has passed in between.
    const apart = guest - host;
    assertEquals("the same time", apart > -HOUR && apart < HOUR, true);
    // The version was odd, which it is while the page changes.
    const version = page.getUint32(0, true);
    assertEquals("the version is a new one, and even", version > 5 && version % 2 === 0, true);
    // The guest has not cleared it, and nobody else does.
    assertEquals("PVCLOCK_GUEST_STOPPED", page.getUint8(29) & STOPPED, STOPPED);
    write(CLOCK, new Uint8Array(32));
  },
  trace: `
    > set-msrs msr.0x4b564d01=0x${(CLOCK | 1).toString(16)} -> 0x1
    > kvmclock-ctrl
    pio out 0x10 u8 0x0
    ${clock === undefined ? "" : "> set-clock"}
    hlt
    = rax *
    = rdx *
    = mem 0xa000 u64 *
  `,
}));

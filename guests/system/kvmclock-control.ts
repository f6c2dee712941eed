import { asm, defineCases } from "../../mod.ts";

/** MSR_KVM_SYSTEM_TIME_NEW. */
const SYSTEM_TIME = 0x4b564d01;
/** Guest physical address of the guest's pvclock structure; its flags are its byte 29. */
const CLOCK = 0x9000;
/** PVCLOCK_GUEST_STOPPED. */
const STOPPED = 2;

const rows = { "with-kvmclock": true, "without": false };

/** A guest with a kvmclock is told that it was paused, once; without, there is nobody to tell. */
export default defineCases("system/kvmclock-control", rows, (clock) => ({
  spec: [
    "KVM API 4.70: KVM_KVMCLOCK_CTRL (PVCLOCK_GUEST_STOPPED; EINVAL without a kvmclock)",
    "Documentation/virt/kvm/x86/msr.rst: MSR_KVM_SYSTEM_TIME_NEW, flags bit 1",
  ],
  mode: "long",
  withoutLens: clock
    ? {
      restore: "KVM keeps the news for the next entry, and tells nobody that it is still to come",
    }
    : {},
  requires: ["KVM_CAP_KVMCLOCK_CTRL", { cpuid: "KVM-CLOCKSOURCE2" }],
  guest: asm`
    out 0x10, al
    mov al, [${CLOCK + 29}]
    and al, ${STOPPED}
    out 0x11, al
    and byte [${CLOCK + 29}], 0xfd
    mov eax, 0
    test eax, eax
    hlt
  `,
  drive({ vcpu, run, read, write, attempt }) {
    if (clock) vcpu.setMsrs([{ index: SYSTEM_TIME, data: BigInt(CLOCK | 1) }]);
    run();
    attempt(() => vcpu.kvmclockControl());
    run();
    run();
    // What the structure holds is not for this case to say.
    write(CLOCK, read(CLOCK, 32));
  },
  trace: `
    ${clock ? `> set-msrs msr.0x4b564d01=0x${(CLOCK | 1).toString(16)} -> 0x1` : ""}
    pio out 0x10 u8 0x0
    > kvmclock-ctrl ${clock ? "" : "-> EINVAL"}
    pio out 0x11 u8 0x${clock ? STOPPED : 0}
    hlt
    = rflags 0x46
  `,
}));

import { asm, defineCases, type DriveContext, Mapping } from "../../mod.ts";

interface Row {
  readonly act: (
    host: DriveContext & { own: Mapping; other: Mapping; slot: Slot },
  ) => void;
  readonly line?: string;
  /** Where the guest's clock is then: in the other memory, or in what it was in. */
  readonly elsewhere?: true;
}

interface Slot {
  readonly slot: number;
  readonly guestAddress: number;
  readonly size: number;
}

const rows: Record<string, Row> = {
  "nothing": { act: () => {} },
  "not-needed": { act: ({ own }) => own.advise("dontneed", 0x1000, 0x1000) },
  "neighbour-not-needed": {
    act({ own }) {
      own.advise("dontneed", 0, 0x1000);
      own.advise("dontneed", 0x2000, 0x1000);
    },
  },
  "moved-in": { act: ({ own, other }) => other.movePages(0, 0x3000, own, 0) },
  "mapped-anew": { act: ({ own }) => own.remap() },
  "slot-replaced": {
    act({ vm, other, slot }) {
      vm.memory.setSlot({ ...slot, size: 0 });
      vm.memory.setSlot({ ...slot, memory: other });
    },
    line: `
      > slot 0x1 gpa=0x100000 size=0x0
      > slot 0x1 gpa=0x100000 size=0x3000
    `,
    elsewhere: true,
  },
  "other-slot-added": {
    act: ({ vm, other }) =>
      vm.memory.setSlot({ slot: 2, guestAddress: 0x200000, size: 0x3000, memory: other }),
    line: "> slot 0x2 gpa=0x200000 size=0x3000",
  },
  "slot-flags": {
    act: ({ vm, own, slot }) => vm.memory.setSlot({ ...slot, memory: own, flags: 1 }),
    line: "> slot 0x1 gpa=0x100000 size=0x3000 flags=0x1",
  },
};

/** KVM writes a guest's clock to the memory that is behind its address now, whatever the host did to it. */
export default defineCases("paravirt/clock-host-change", rows, ({ act, line, elsewhere }) => ({
  spec: [
    "KVM x86 MSRs: MSR_KVM_SYSTEM_TIME_NEW",
    "KVM API 4.35: changes in the backing of the memory region are automatically reflected into " +
    "the guest",
  ],
  mode: "long",
  requires: [{ cpuid: "KVM-CLOCKSOURCE2" }, "KVM_CAP_KVMCLOCK_CTRL", "KVM_CAP_SYNC_MMU"],
  withoutLens: { restore: "KVM keeps the news for the next entry, and tells nobody of it" },
  guest: asm`
    out 0x10, al                    ; the host switches the clock on
    mov eax, [0x101000]
    out 0x11, al                    ; and changes the memory
    mov eax, [0x101000]
    mov ebx, [0x101004]
    mov cl, [0x10101d]              ; flags
    hlt
  `,
  drive(context) {
    const { vm, vcpu, run, attempt, assertEquals } = context;
    using own = Mapping.anonymous(0x3000);
    using other = Mapping.anonymous(0x3000);
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x3000 };
    vm.memory.setSlot({ ...slot, memory: own });
    run();
    vcpu.setMsrs([{ index: 0x4b564d01, data: 0x101001n }]);
    run();
    const version = own.view.getUint32(0x1000, true);
    assertEquals("the version is even, and not 0", version !== 0 && version % 2 === 0, true);
    // Nothing of the clock is left, wherever the guest will look for it.
    for (const memory of [own, other]) memory.bytes.fill(0);
    act({ ...context, own, other, slot });
    for (const memory of [own, other]) memory.bytes.fill(0);
    vcpu.kvmclockControl();
    run();
    const [here, there] = elsewhere ? [other, own] : [own, other];
    const now = here.view.getUint32(0x1000, true);
    assertEquals("the version is even again", now !== 0 && now % 2 === 0, true);
    assertEquals("the multiplier is there", here.view.getUint32(0x1018, true) !== 0, true);
    assertEquals("no other memory has it", there.bytes.every((byte) => byte === 0), true);
    for (const slot of [1, 2]) {
      attempt(() => vm.memory.setSlot({ slot, guestAddress: 0, size: 0 }));
    }
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x3000
    pio out 0x10 u8 0x0
    > set-msrs msr.0x4b564d01=0x101001 -> 0x1
    pio out 0x11 u8 *
    ${line ?? ""}
    > kvmclock-ctrl
    hlt
    > slot 0x1 gpa=0x0 size=0x0
    > slot 0x2 gpa=0x0 size=0x0 ${line?.includes("0x2 gpa") ? "" : "-> EINVAL"}
    = rax *
    = rbx *
    = rcx *
  `,
}));

import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

interface Row {
  /** Where the word is: slot 1 ends and slot 2 begins at 0x102000. */
  readonly word: number;
  /** Pages of the two slots that KVM writes. */
  readonly logs: readonly [string, string];
}

const rows: Record<string, Row> = {
  "first-of-a-slot": { word: 0x100000, logs: ["0x0", ""] },
  "aligned": { word: 0x101010, logs: ["0x1", ""] },
  "unaligned": { word: 0x101013, logs: ["0x1", ""] },
  "last-of-a-page": { word: 0x100ffc, logs: ["0x0", ""] },
  "across-pages": { word: 0x100ffe, logs: ["0x0 0x1", ""] },
  "across-slots": { word: 0x101fff, logs: ["0x1", "0x0"] },
};

const hex = (value: number) => `0x${value.toString(16)}`;
/** What setting up both slots says. */
const twoSlots = `
  > slot 0x1 gpa=0x100000 size=0x2000 flags=0x1
  > slot 0x2 gpa=0x102000 size=0x1000 flags=0x1
`;

/** The task priorities that the guest asks for, a round each. */
const PRIORITIES = [0x50, 0x30, 0x60];
/** In service is 0x71, requested 0x45: more than the task priority, so that nothing is delivered. */
const STATE = 0x45007000;
/** Offsets in the local APIC's page. */
const [TASK_PRIORITY, IN_SERVICE, REQUEST] = [0x80, 0x130, 0x220];

/**
 * The word of the virtual APIC: KVM takes the task priority from its first byte when the guest
 * leaves, and writes that, the class in service and the highest request to it when an event is to be
 * looked for; it goes on where slots have changed, and is in the dirty log.
 */
export default defineCases("apic/virtual-apic-word", rows, ({ word, logs }) => ({
  spec: [
    "KVM API 3: KVM_CAP_VAPIC (KVM_SET_VAPIC_ADDR)",
    "arch/x86/kvm/lapic.c: kvm_lapic_sync_from_vapic, kvm_lapic_sync_to_vapic (6.1, 6.12), where " +
    "the document does not name the word's parts",
    "KVM API 4.8: KVM_GET_DIRTY_LOG",
  ],
  mode: "protected",
  irqchip: "kernel",
  // A host that emulates several instructions at a time looks at the word less often.
  requires: ["KVM_CAP_VAPIC", { backend: ["svm", "vmx"] }],
  withoutLens: { restore: "it makes KVM write the word at each exit" },
  registers: { rsi: 0xfee00000n, rdi: 0xa000n },
  guest: asm`
    mov dword [esi + 0xf0], 0x1ff   ; the APIC is on
    ${
    PRIORITIES.map((priority) => `
      mov dword [${word}], ${0xccbbaa00 + priority}
      out 0x10, al
      mov eax, [esi + ${TASK_PRIORITY}]
      stosd
      mov eax, [${word}]
      stosd
      out 0x11, al                  ; the host looks at what KVM has written
    `).join("\n")
  }
    xor eax, eax
    out 0xf4, al
  `,
  drive({ vm, vcpu, run, assertEquals }) {
    const flags = MEMORY_LOG_DIRTY_PAGES;
    const memory = vm.memory.map(0x6000);
    const slots = (offset: number) => {
      vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x2000, memory, offset, flags });
      vm.memory.setSlot({
        slot: 2,
        guestAddress: 0x102000,
        size: 0x1000,
        memory,
        offset: offset + 0x2000,
        flags,
      });
    };
    const logged = () => [vm.memory.dirtyLog(1, 2), vm.memory.dirtyLog(2, 1)];
    slots(0);
    vcpu.setVapicAddress(BigInt(word));
    for (const [round, priority] of PRIORITIES.entries()) {
      run();
      logged();
      const bytes = vcpu.lapic();
      assertEquals(`the priority of round ${round}`, bytes[TASK_PRIORITY], priority);
      new DataView(bytes.buffer).setUint32(IN_SERVICE, 1 << 0x71 % 32, true);
      new DataView(bytes.buffer).setUint32(REQUEST, 1 << 0x45 % 32, true);
      vcpu.setLapic(bytes);
      if (round === 1) vm.memory.setSlot({ slot: 3, guestAddress: 0x200000, size: 0x1000, memory });
      if (round === 2) {
        // Other memory is in the place of what was there.
        for (const slot of [1, 2]) vm.memory.setSlot({ slot, guestAddress: 0, size: 0 });
        // What was there is written no more.
        memory.bytes.fill(0, 0, 0x3000);
        slots(0x3000);
      }
      run();
      logged();
    }
  },
  trace: `
    ${twoSlots}
    > vapic ${hex(word)}
    ${
    PRIORITIES.map((priority, round) => `
      pio out 0x10 u8 *
      ${dirty(logs)}
      > set-lapic
      ${round === 1 ? "> slot 0x3 gpa=0x200000 size=0x1000" : ""}
      ${round === 2 ? `> slot 0x1 gpa=0x0 size=0x0\n> slot 0x2 gpa=0x0 size=0x0\n${twoSlots}` : ""}
      pio out 0x11 u8 ${hex(priority)}
      ${dirty(logs)}
    `).join("\n")
  }
    pio out 0xf4 u8 0x0
    = rdi 0xa018
    = mem 0xa000 u32 [${
    PRIORITIES.map((priority) => `${hex(priority)} ${hex(STATE + priority)}`).join(" ")
  }]
    = rflags 0x46
    = cr8 0x6
    ${bytes(word)}
  `,
}));

/** The word in the end; what lies in two slots is told apart. */
function bytes(word: number): string {
  return word === 0x101fff
    ? `= mem 0x101fff u8 0x60\n= mem 0x102000 u8 [0x70 0x0 0x45]`
    : `= mem ${hex(word)} u32 ${hex(STATE + 0x60)}`;
}

function dirty([first, second]: Row["logs"]): string {
  return `> dirty-log 0x1 -> [${first}]\n> dirty-log 0x2 -> [${second}]`;
}

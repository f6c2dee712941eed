import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { HSAVE, machine, requires, vmcb } from "./_vmcb.ts";

/** Two pages of a slot with a dirty log: VMCB, and where VMSAVE and VMLOAD go. */
const [LOGGED, OTHER] = [0x100000, 0x101000];

const rows = {
  // #VMEXIT stores the guest's state.
  exit: { code: `mov eax, ${LOGGED}\nvmrun`, log: "0x0" },
  // VMRUN stores the exit code.
  invalid: { code: `mov eax, ${LOGGED}\nvmrun`, log: "0x0" },
  vmsave: { code: `mov eax, ${OTHER}\nvmsave`, log: "0x1" },
} as const;

/** What SVM's instructions write to memory is in the dirty log. */
export default defineCases("nested-svm/dirty-log", rows, ({ code, log }, name) => ({
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG", "APM 2 15.5: VMRUN instruction; 15.6: #VMEXIT"],
  mode: "long",
  requires,
  machine,
  guest: asm`
    mov ecx, 0xc0010117
    mov eax, ${HSAVE}
    xor edx, edx
    wrmsr
    xor ecx, ecx
    out 0x10, al
    ${code}
    mov eax, 0
    hlt
    nested:
    out 0x11, al
    mov eax, 0
    vmmcall
  `,
  drive({ vm, run, labels }) {
    const memory = vm.memory.map(0x2000);
    memory.bytes.set(
      vmcb({ rip: labels.get("nested")!, second: 2, asid: name === "invalid" ? 0 : 1 }),
    );
    const flags = MEMORY_LOG_DIRTY_PAGES;
    vm.memory.setSlot({ slot: 1, guestAddress: LOGGED, size: 0x2000, memory, flags });
    run();
    // What VMRUN has written by then is of no interest.
    if (name === "exit") run();
    vm.memory.dirtyLog(1, 2);
    run();
    vm.memory.dirtyLog(1, 2);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x2000 flags=0x1
    pio out 0x10 u8 0x0
    ${name === "exit" ? "pio out 0x11 u8 *" : ""}
    > dirty-log 0x1 -> [${name === "exit" ? "*" : ""}]
    hlt
    > dirty-log 0x1 -> [${log}]
    = rflags *
    = mem 0x100000 u64 [${Array(1024).fill("*").join(" ")}]
    = mem 0x${HSAVE.toString(16)} u64 [${Array(512).fill("*").join(" ")}]
  `,
}));

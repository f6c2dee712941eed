import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

/** The frame that an interrupt pushes is in the dirty log, on both pages it lies on. */
export default defineCase({
  id: "memslot/dirty-log-interrupt",
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG", "SDM 3A 6.12: exception and interrupt handling"],
  mode: "protected",
  machine: { rflags: { set: 0x200n } },
  handlers: { 0x20: "handler" },
  guest: asm`
    mov esp, 0x102004
    out 0x10, al
    interrupted:
    mov bl, 1
    hlt
  handler:
    mov bh, 1
    hlt
  `,
  drive({ vm, vcpu, run }) {
    vm.memory.addRam(0x100000, 0x4000, { slot: 1, flags: MEMORY_LOG_DIRTY_PAGES });
    run();
    vcpu.interrupt(0x20);
    run();
    vm.memory.dirtyLog(1, 4);
  },
  trace: ({ interrupted }) => `
    > slot 0x1 gpa=0x100000 size=0x4000 flags=0x1
    pio out 0x10 u8 0x0
    > interrupt 0x20
    hlt
    > dirty-log 0x1 -> [0x1 0x2]
    = rbx 0x100
    = rsp 0x101ff8
    = rflags 0x2
    = mem 0x101ff8 u32 [${interrupted} 0x8 0x202]
  `,
});

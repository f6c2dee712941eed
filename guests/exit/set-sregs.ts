import { asm, defineCases } from "../../mod.ts";

/** What the host changes of the special registers, and what the guest finds. */
const rows = {
  // In real mode a base need not be 16 times its selector until the selector is loaded again.
  "real-base": {
    mode: "real",
    guest: `
      mov al, [0x10]
      mov bx, ds
      mov byte [0x10], 0x77
    `,
    change: "ds.base",
    state: `
      = rax 0xa5
      = rbx 0x123
      = ds.selector 0x123
      = ds.base 0xa000
      = mem 0xa010 u8 0x77
    `,
  },
  "long-base": {
    mode: "long",
    guest: `
      mov al, [fs:0x10]
      mov bx, fs
      mov byte [fs:0x10], 0x77
    `,
    change: "fs.base",
    state: `
      = rax 0xa5
      = rbx 0x10
      = fs.selector 0x10
      = fs.base 0xa000
      = mem 0xa010 u8 0x77
    `,
  },
  "descriptor-tables": {
    mode: "long",
    guest: `
      sgdt [0xb000]
      sidt [0xb010]
    `,
    change: "tables",
    state: `
      = gdt.base 0x123456789000
      = gdt.limit 0x87
      = idt.base 0xffff888877776666
      = idt.limit 0x7ff
      = mem 0xb000 u16 [0x87 0x9000 0x5678 0x1234 0x0]
      = mem 0xb010 u16 [0x7ff 0x6666 0x7777 0x8888 0xffff]
    `,
  },
  "control-registers": {
    mode: "long",
    guest: `
      mov rax, cr0
      mov rbx, cr2
      mov rcx, cr4
    `,
    change: "control",
    state: `
      = rax 0x80050033
      = rbx 0x123456789abcdef
      = rcx 0xac
      = cr0 0x80050033
      = cr2 0x123456789abcdef
      = cr4 0xac
      = rflags *
    `,
  },
  "task-register": {
    mode: "protected",
    guest: `
      str eax
      sldt ebx
    `,
    change: "tr",
    state: `
      = rax 0x78
      = rbx 0x0
      = tr.selector 0x78
      = tr.base 0x3800
      = tr.limit 0x67
    `,
  },
} as const;

/** What KVM_SET_SREGS sets, the guest has; KVM_GET_SREGS gives it back. */
export default defineCases("exit/set-sregs", rows, ({ mode, guest, change, state }) => ({
  spec: ["KVM API 4.13: KVM_GET_SREGS", "KVM API 4.14: KVM_SET_SREGS"],
  mode,
  guest: asm`
    ${guest}
    hlt
  `,
  drive: ({ vcpu, write, assertEquals }) => {
    write(0xa010, Uint8Array.of(0xa5));
    const sregs = vcpu.sregs();
    const changed = {
      "ds.base": { ...sregs, ds: { ...sregs.ds, selector: 0x123, base: 0xa000n } },
      "fs.base": { ...sregs, fs: { ...sregs.fs, selector: 0x10, base: 0xa000n } },
      tables: {
        ...sregs,
        gdt: { base: 0x1234_5678_9000n, limit: 0x87 },
        idt: { base: 0xffff_8888_7777_6666n, limit: 0x7ff },
      },
      control: {
        ...sregs,
        cr0: 0x80050033n,
        cr2: 0x0123_4567_89ab_cdefn,
        cr4: 0xacn,
      },
      tr: { ...sregs, tr: { ...sregs.tr, selector: 0x78, base: 0x3800n, limit: 0x67 } },
    }[change];
    vcpu.setSregs(changed);
    assertEquals("KVM_GET_SREGS after KVM_SET_SREGS", vcpu.sregs(), changed);
  },
  trace: `
    > set-sregs
    hlt
    ${state}
  `,
}));

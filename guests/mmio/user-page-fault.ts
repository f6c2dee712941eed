import { asm, defineCases } from "../../mod.ts";

type Row = { page: { user?: boolean; writable?: boolean }; instruction: string; errorCode: string };

const rows: Record<string, Row> = {
  "read-supervisor": {
    page: { user: false },
    instruction: "mov dl, [rdi]",
    errorCode: "0x5",
  },
  "write-supervisor": {
    page: { user: false },
    instruction: "mov [rdi], dl",
    errorCode: "0x7",
  },
  "write-read-only": {
    page: { user: true, writable: false },
    instruction: "mov [rdi], dl",
    errorCode: "0x7",
  },
};

/**
 * A user's access to a supervisor's page, and a user's write to a read-only one, fault before the
 * device; the handler runs on the stack of CPL 0, where the frame is.
 */
export default defineCases("mmio/user-page-fault", rows, ({ page, instruction, errorCode }) => ({
  spec: ["SDM 3A 4.7: page-fault exceptions", "SDM 3A 6.14: exceptions in 64-bit mode"],
  mode: "long",
  machine: {
    privilege: 3,
    map: [
      { virtual: 0x30000, physical: 0xd0000000, user: true },
      { virtual: 0x31000, physical: 0xd0001000, ...page },
    ],
  },
  registers: { rdi: 0x31040n, rdx: 0xd1d2d3d4d5d6d7d8n },
  handlers: { 14: "fault" },
  guest: asm`
    mov al, [0x30080]               ; a user may access the page before
    at:
    ${instruction}
    hlt
    fault:
    mov ebx, 0x30
    mov ss, bx                      ; loads what the switch of stacks leaves open
    pop rbx
    hlt
  `,
  trace: ({ at }) => `
    mmio read 0xd0000080 u8 -> 0x77
    hlt
    = rax 0x77
    = rbx ${errorCode}
    = rsp 0x6fd8
    = cs.selector 0x28
    = cs.access 0xa09b
    = ss.selector 0x30
    = ss.access 0xc093
    = cr2 0x31040
    = mem 0x6fd0 u64 [${errorCode} ${at} 0x4b 0x10002 0x8000 0x43]
  `,
}));

import { asm, defineCases } from "../../mod.ts";

type Row = {
  /** What is special about the page 0x31000; 0x30000 is an ordinary one. */
  page: { writable?: boolean; present?: boolean };
  instruction: string;
  errorCode: string;
  cr2?: string;
};

const rows: Record<string, Row> = {
  "write-read-only": {
    page: { writable: false },
    instruction: "mov [rdi], dl",
    errorCode: "0x3",
  },
  "exchange-read-only": {
    page: { writable: false },
    instruction: "xchg [rdi], dl",
    errorCode: "0x3",
  },
  "add-read-only": {
    page: { writable: false },
    instruction: "add [rdi], edx",
    errorCode: "0x3",
  },
  "read-not-present": { page: { present: false }, instruction: "mov dl, [rdi]", errorCode: "0x0" },
  "write-not-present": { page: { present: false }, instruction: "mov [rdi], dl", errorCode: "0x2" },
  // The host is asked about neither page of an access that one of them forbids.
  "write-second-page-read-only": {
    page: { writable: false },
    instruction: "mov [rdi - 0x43], rdx",
    errorCode: "0x3",
    cr2: "0x31000",
  },
  "read-second-page-not-present": {
    page: { present: false },
    instruction: "mov rdx, [rdi - 0x41]",
    errorCode: "0x0",
    cr2: "0x31000",
  },
};

/**
 * A page fault comes before the device: no exit, the error code on the stack, the address in CR2,
 * and no register changed.
 */
export default defineCases(
  "mmio/page-fault",
  rows,
  ({ page, instruction, errorCode, cr2 = "0x31040" }) => ({
    spec: ["SDM 3A 4.7: page-fault exceptions", "SDM 3A 6.15: interrupt 14"],
    mode: "long",
    machine: {
      map: [
        { virtual: 0x30000, physical: 0xd0000000 },
        { virtual: 0x31000, physical: 0xd0001000, ...page },
      ],
    },
    registers: { rdi: 0x31040n, rdx: 0xd1d2d3d4d5d6d7d8n },
    handlers: { 14: "fault" },
    guest: asm`
      mov al, [0x30080]               ; the mapping itself works
      at:
      ${instruction}
      hlt
      fault:
      pop rbx
      hlt
    `,
    trace: ({ at }) => `
      mmio read 0xd0000080 u8 -> 0x77
      hlt
      = rax 0x77
      = rbx ${errorCode}
      = rsp 0x7fd8
      = cr2 ${cr2}
      = mem 0x7fd0 u64 [${errorCode} ${at} 0x28 0x10002 0x8000 0x30]
    `,
  }),
);

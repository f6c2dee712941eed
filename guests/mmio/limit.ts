import { asm, defineCases } from "../../mod.ts";

/** A writable data segment at 0xd0000000 with a limit of 0xfff bytes. */
const descriptors = { 0x78: 0xd000930000000fffn };

type Row = { instruction: string };

const rows: Record<string, Row> = {
  "write-past-end": { instruction: "mov [es:0xffd], edx" },
  "read-past-end": { instruction: "mov edx, [es:0x1000]" },
  "write-far-past-end": { instruction: "mov [es:edi], dl" },
};

/** A segment's limit is checked before the device: up to its last byte an access goes through. */
export default defineCases("mmio/limit", rows, ({ instruction }) => ({
  spec: ["SDM 3A 5.3: limit checking", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "protected",
  machine: { descriptors },
  registers: { rdx: 0xd5d6d7d8n, rdi: 0x12345678n },
  handlers: { 13: "fault" },
  guest: asm`
    mov ax, 0x78
    mov es, ax
    mov [es:0xffc], edx
    at:
    ${instruction}
    hlt
    fault:
    pop ecx
    hlt
  `,
  trace: ({ at }) => `
    mmio write 0xd0000ffc u32 0xd5d6d7d8
    hlt
    = rax 0x78
    = es.selector 0x78
    = es.base 0xd0000000
    = es.limit 0xfff
    = es.access 0x93
    = rsp 0x7ff4
    = mem 0x7ff0 u32 [0x0 ${at} 0x8 0x10002]
  `,
}));

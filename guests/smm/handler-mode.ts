import { asm, defineCases } from "../../mod.ts";
import { complete, completed, prepared, prepareSmm, requires, SMBASE } from "./_smram.ts";

/** The handler's page tables, which map the 2 MiB that it is in. */
const TABLES = SMBASE + 0x1000;

const handlers = {
  protected: `
    db 0x0f, 0x20, 0xc0             ; mov eax, cr0
    or al, 1
    db 0x0f, 0x22, 0xc0             ; mov cr0, eax
  `,
  // 16-bit code of a 64-bit system.
  long: `
    db 0x66, 0xb8                   ; mov eax, 0x20
    dd 0x20
    db 0x0f, 0x22, 0xe0             ; mov cr4, eax
    db 0x66, 0xb8                   ; mov eax, TABLES
    dd ${TABLES}
    db 0x0f, 0x22, 0xd8             ; mov cr3, eax
    db 0x66, 0xb9                   ; mov ecx, EFER
    dd 0xc0000080
    db 0x66, 0xb8                   ; mov eax, 0x901
    dd 0x901
    db 0x66, 0x31, 0xd2             ; xor edx, edx
    wrmsr
    db 0x0f, 0x20, 0xc0             ; mov eax, cr0
    db 0x66, 0x0d                   ; or eax, 0x80000001
    dd 0x80000001
    db 0x0f, 0x22, 0xc0             ; mov cr0, eax
  `,
};

const rows = {
  protected: { handler: "protected", mode: "long" },
  long: { handler: "long", mode: "long" },
  "long-to-protected": { handler: "long", mode: "protected" },
} as const;

/** RSM brings back the interrupted mode from whatever mode the handler has gone to. */
export default defineCases("smm/handler-mode", rows, ({ handler, mode }) => ({
  spec: ["APM 2 10.3.5: SMM execution environment", "APM 2 10.4: leaving SMM"],
  mode,
  requires,
  machine: { rflags: { set: 0x8d7n }, cr4: { set: 0x680n } },
  registers: { rax: 0x11n, rcx: 0x22n, rdx: 0x33n },
  guest: asm`
    out 0x10, al
    hlt
    handler:
    ${handlers[handler]}
    out 0x11, al
    rsm
    handler_end:
  `,
  drive: (context) => {
    const { run, vcpu, write, assertEquals } = context;
    prepareSmm(context);
    const entry = (at: number, value: number) =>
      write(TABLES + at, new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
    entry(0, TABLES + 0x1063);
    entry(0x1000, TABLES + 0x2063);
    entry(0x2008, SMBASE | 0xe3);
    run();
    complete(context);
    vcpu.smi();
    run();
    const { cr0, efer } = vcpu.sregs();
    assertEquals("PE, and EFER", [cr0 & 1n, efer], [1n, handler === "long" ? 0xd01n : 0n]);
  },
  trace: `
    ${prepared}
    pio out 0x10 u8 0x11
    ${completed}
    > smi
    pio out 0x11 u8 *
    hlt
    = mem 0x20fe00 u64 [${Array(64).fill("*").join(" ")}]
  `,
}));

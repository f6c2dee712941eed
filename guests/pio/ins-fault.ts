import { asm, defineCases } from "../../mod.ts";

const rows: Record<
  string,
  { rdi: bigint; page?: "not-present" | "read-only"; error: string; cr2?: string }
> = {
  "not-present": { rdi: 0xc123n, page: "not-present", error: "0x2", cr2: "0xc123" },
  "read-only": { rdi: 0xc123n, page: "read-only", error: "0x3", cr2: "0xc123" },
  "not-canonical": { rdi: 0x800000000000n, error: "0x0" },
};

/**
 * INS to where it cannot write faults and can be restarted. It may have read the port by then (the
 * manual says so), so the host answers 0x41 and 0x42, and the guest takes the second where INS did not
 * need it: the byte stored after the handler has moved RDI is either.
 */
export default defineCases("pio/ins-fault", rows, ({ rdi, page, error, cr2 }) => ({
  spec: ["SDM 2A: INS", "SDM 3A 6.15: interrupts 13 and 14"],
  mode: "long",
  machine: {
    map: page === undefined ? [] : [
      {
        virtual: 0xc000,
        physical: 0xc000,
        present: page !== "not-present",
        writable: page !== "read-only",
      },
    ],
  },
  handlers: { 13: "fault", 14: "fault" },
  registers: { rcx: 7n, rdx: 0x1f0n, rdi },
  guest: asm`
    insb
    cmp byte [0xd000], 0x42
    je done
    in al, dx
    done:
    mov eax, 0
    cmp eax, eax
    hlt
    fault:
    inc ebx
    mov rsi, rdi
    mov edi, 0xd000
    add rsp, 8
    ret 32
  `,
  trace: `
    pio in 0x1f0 u8 -> [0x41 0x42]
    hlt
    = mem 0xd000 u8 0x41|0x42
    = mem 0x7fd0 u64 [${error} 0x8000 0x28 0x10002 0x8000 0x30]
    = rbx 0x1
    = rdi 0xd001
    = rsi 0x${rdi.toString(16)}
    = rflags 0x46
    ${cr2 === undefined ? "" : `= cr2 ${cr2}`}
  `,
}));

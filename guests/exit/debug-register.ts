import { asm, defineCases, type ModeName } from "../../mod.ts";

interface Row {
  mode: ModeName;
  guest: string;
  state: string;
}

const rows: Record<string, Row> = {
  addresses: {
    mode: "long",
    guest: `
      mov rax, 0x0011223344556677
      mov dr0, rax
      inc rax
      mov dr1, rax
      inc rax
      mov dr2, rax
      inc rax
      mov dr3, rax
      mov rbx, dr0
      mov rcx, dr1
      mov rdx, dr2
      mov rsi, dr3
    `,
    state: `
      = rax 0x1122334455667a
      = rbx 0x11223344556677
      = rcx 0x11223344556678
      = rdx 0x11223344556679
      = rsi 0x1122334455667a
      = dr0 0x11223344556677
      = dr1 0x11223344556678
      = dr2 0x11223344556679
      = dr3 0x1122334455667a
    `,
  },
  // B0 to B3, BD, BS and BT can be written; the others read as they always do. Bits 16 (RTM) and 11
  // (bus lock) are written as 1, which they are as well where the processor does not have them.
  status: {
    mode: "protected",
    guest: "mov eax, 0x1e80f\nmov dr6, eax\nmov ebx, dr6",
    state: "= rax 0x1e80f\n= rbx 0xffffefff\n= dr6 0xffffefff",
  },
  // Bit 10 is always 1. No breakpoint is enabled: conditions and LE, GE alone.
  control: {
    mode: "protected",
    guest: "mov eax, 0xfdfd0300\nmov dr7, eax\nmov ebx, dr7",
    state: "= rax 0xfdfd0300\n= rbx 0xfdfd0700\n= dr7 0xfdfd0700",
  },
  // Without CR4.DE, DR4 and DR5 are other names of DR6 and DR7.
  aliases: {
    mode: "protected",
    guest: "mov eax, 0x18800\nmov dr4, eax\nmov ebx, dr6\nmov ecx, dr5",
    state: "= rax 0x18800\n= rbx 0xffff8ff0\n= rcx 0x400\n= dr6 0xffff8ff0",
  },
};

/** MOV reads and writes the debug registers without an exit. */
export default defineCases("exit/debug-register", rows, ({ mode, guest, state }) => ({
  spec: ["SDM 2B: MOV to and from debug registers", "SDM 3B 18.2: debug registers"],
  mode,
  guest: asm`
    ${guest}
    hlt
  `,
  trace: `
    hlt
    ${state}
    = rflags *
  `,
}));

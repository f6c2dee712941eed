import { asm, defineCases, type MachineOptions, type Requirement } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

const [WP, SMAP, NXE] = [1 << 16, 1 << 21, 1 << 11];

interface Row {
  readonly writes?: true;
  readonly page: { user?: boolean; writable?: boolean; executable?: boolean };
  readonly machine?: MachineOptions;
  readonly change: string;
  /** Error code of the #PF before and behind the change; undefined where there is none. */
  readonly before?: number;
  readonly after?: number;
  readonly state: string;
  readonly requires?: readonly Requirement[];
}

const cr4 = (how: string) => `mov rax, cr4\n${how}\nmov cr4, rax`;
const cr0 = (how: string) => `mov rax, cr0\n${how}\nmov cr0, rax`;

const rows: Record<string, Row> = {
  "supervisor-access-prevented": {
    page: { user: true },
    requires: [{ cpuid: "SMAP" }],
    change: cr4(`or eax, ${SMAP}`),
    after: 0x1,
    state: "= cr4 0x200020",
  },
  "supervisor-access-allowed": {
    page: { user: true },
    requires: [{ cpuid: "SMAP" }],
    machine: { cr4: { set: BigInt(SMAP) } },
    change: cr4(`and eax, ~${SMAP}`),
    before: 0x1,
    state: "= cr4 0x20",
  },
  "write-protected": {
    writes: true,
    page: { writable: false },
    machine: { cr0: { clear: BigInt(WP) } },
    change: cr0(`or eax, ${WP}`),
    after: 0x3,
    state: "= cr0 0x80010031\n= mem 0x9000 u8 0x21",
  },
  "no-longer-write-protected": {
    writes: true,
    page: { writable: false },
    change: cr0(`and eax, ~${WP}`),
    before: 0x3,
    state: "= cr0 0x80000031\n= mem 0x9000 u8 0x22",
  },
  // XD is reserved where EFER.NXE is clear.
  "no-execute-off": {
    page: { executable: false },
    // WRMSR alone leaves what is cached.
    change: `mov ecx, 0xc0000080\nrdmsr\nand eax, ~${NXE}\nwrmsr\nmov rax, cr3\nmov cr3, rax`,
    after: 0x9,
    state: "= efer 0x500",
  },
};

/** An access goes by the control registers as the guest has just set them. */
export default defineCases("emulate/control-change", inBothWays(rows), ({ row, way }) => {
  const { writes, page, machine, change, before, after, state, requires = [] } = row;
  // A fault's handler drops the frame and goes on behind the access.
  const step = (port: number) => `
    mov esi, 0x40000000
    mov al, ${port}
    mov ebx, behind_${port}
    ${way.prefix}
    ${writes ? "mov [rsi], al" : "mov al, [rsi]"}
    out ${port}, al
    behind_${port}:
  `;
  const outcome = (port: number, error?: number) =>
    error === undefined
      ? `pio out 0x${port.toString(16)} u8 0x${writes ? port.toString(16) : "5a"}`
      : `pio out 0x10 u8 0x${error.toString(16)}`;
  return {
    spec: [
      "SDM 3A 4.6.1: determination of access rights",
      "SDM 3A 4.7: page-fault exceptions (reserved bits)",
    ],
    mode: "long",
    requires: [...way.requires, ...requires],
    machine: { ...machine, map: [{ virtual: 0x40000000, physical: 0x9000, ...page }] },
    handlers: { 14: "fault" },
    guest: asm`
      ${step(0x21)}
      ${change}
      ${step(0x22)}
      xor eax, eax
      xor ebx, ebx
      xor ecx, ecx
      xor edx, edx
      xor esi, esi
      hlt
      fault:
      pop rax
      out 0x10, al
      mov esp, 0x8000
      jmp rbx
    `,
    drive: ({ write }) => write(0x9000, Uint8Array.of(0x5a)),
    trace: `
      ${outcome(0x21, before)}
      ${outcome(0x22, after)}
      hlt
      = rflags 0x46
      = cr2 0x40000000
      ${state}
      = mem 0x7fd0 u64 [0x${(before ?? after)!.toString(16)} * 0x28 * 0x8000 0x30]
    `,
  };
});

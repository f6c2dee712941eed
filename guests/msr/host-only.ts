import { asm, type CapabilityName, defineCases } from "../../mod.ts";

interface Row {
  index: number;
  /** What the host sets. */
  set: bigint;
  /** What the guest reads, or that it cannot. */
  reads: bigint | "fault";
  /** What becomes of a guest's write of 0. */
  write: "fault" | "ignored";
  requires?: CapabilityName;
}

const rows: Record<string, Row> = {
  // Only the CPU in SMM can tell where its state is saved, and it relocates it otherwise.
  "smm-base": {
    index: 0x9e,
    set: 0x50000n,
    reads: "fault",
    write: "fault",
    requires: "KVM_CAP_X86_SMM",
  },
  // The number of system-management interrupts: read-only.
  "smi-count": { index: 0x34, set: 0x1234n, reads: 0x1234n, write: "fault" },
  // The revision of the microcode: a write is part of how it is read (SDM 3A 9.11.7.1).
  "microcode-revision": {
    index: 0x8b,
    set: 0x1122334400000000n,
    reads: 0x1122334400000000n,
    write: "ignored",
  },
  // CPUID faulting is there; read-only.
  "platform-information": { index: 0xce, set: 0x80000000n, reads: 0x80000000n, write: "fault" },
};

/** What the host sets and a guest may read, or not even that. */
export default defineCases("msr/host-only", rows, ({ index, set, reads, write, requires }) => ({
  spec: ["SDM 4 2: model-specific registers", "KVM API 4.19: KVM_SET_MSRS"],
  mode: "long",
  requires: [
    { parameter: "kvm.ignore_msrs", value: "N" },
    ...(requires ? [requires] : []),
  ],
  handlers: { 13: "fault" },
  registers: { rcx: BigInt(index) },
  guest: asm`
    mov esi, behind_read
    rdmsr
    out 0x10, eax
    mov eax, edx
    out 0x11, eax
    behind_read:
    xor eax, eax
    xor edx, edx
    mov esi, behind_write
    wrmsr
    out 0x12, al
    behind_write:
    xor eax, eax
    xor esi, esi
    hlt
    fault:
    out 0x13, al
    add rsp, 48
    jmp rsi
  `,
  drive: ({ vcpu }) => {
    vcpu.setMsrs([{ index, data: set }]);
  },
  trace: `
    > set-msrs msr.0x${index.toString(16)}=0x${set.toString(16)} -> 0x1
    ${
    reads === "fault"
      ? "pio out 0x13 u8 *"
      : `pio out 0x10 u32 0x${(reads & 0xffffffffn).toString(16)}\n` +
        `pio out 0x11 u32 0x${(reads >> 32n).toString(16)}`
  }
    ${write === "fault" ? "pio out 0x13 u8 *" : "pio out 0x12 u8 0x0"}
    hlt
    = rflags 0x46
    = msr.0x${index.toString(16)} 0x${set.toString(16)}
    ${reads === "fault" || write === "fault" ? "= mem 0x7fd0 u64 [0x0 * 0x28 * 0x8000 0x30]" : ""}
  `,
}));

/** Guests that are hypervisors: they run another guest with Intel's VMX (SDM 3C chapters 24 to 34). */

import type { DriveContext, Requirement } from "../../mod.ts";
import { fieldEncodings, type FieldName, type Fields } from "./_fields.ts";

/** What a host must have: kvm-intel with its own nested virtualization. */
export const requires: readonly Requirement[] = [{ backend: ["vmx"] }, { cpuid: "VMX" }];

/** Hosts whose guests have EPT for theirs too. */
export const requiresEpt: readonly Requirement[] = [
  ...requires,
  { parameter: "kvm_intel.ept", value: "1" },
];

/** Hosts whose guests can run theirs without paging too. */
export const requiresUnrestricted: readonly Requirement[] = [
  ...requiresEpt,
  { parameter: "kvm_intel.unrestricted_guest", value: "1" },
];

/** The machine of a hypervisor: VMX may be switched on. */
export const machine = { cr4: { set: 0x2000n } } as const;

/** What the hypervisor keeps: pointers to its regions, where it writes, how many exits are left. */
export const DATA = 0xa000;
/** The VMXON region. */
export const VMXON = 0xb000;
/** The VMCS. */
export const VMCS = 0xc000;
/** How many fields are written, then encoding and value of each. */
const WRITES = 0xd000;
/** How many fields are read at an exit, then the encoding of each. */
const READS = 0xd800;
/** What was read, exit after exit. */
export const RECORD = 0xe000;
/** The top of the nested guest's stack. */
export const NESTED_STACK = 0x7c00;

/** Bits of the primary processor-based controls. */
export const Processor = {
  interruptWindow: 1 << 2,
  tscOffset: 1 << 3,
  hlt: 1 << 7,
  invlpg: 1 << 9,
  mwait: 1 << 10,
  rdpmc: 1 << 11,
  rdtsc: 1 << 12,
  cr3Load: 1 << 15,
  cr3Store: 1 << 16,
  cr8Load: 1 << 19,
  cr8Store: 1 << 20,
  tprShadow: 1 << 21,
  nmiWindow: 1 << 22,
  movDr: 1 << 23,
  io: 1 << 24,
  ioBitmaps: 1 << 25,
  monitorTrap: 1 << 27,
  msrBitmaps: 1 << 28,
  monitor: 1 << 29,
  pause: 1 << 30,
  secondary: -0x80000000,
} as const;

/** Bits of the secondary processor-based controls. */
export const Secondary = {
  apicAccesses: 1 << 0,
  ept: 1 << 1,
  descriptorTables: 1 << 2,
  rdtscp: 1 << 3,
  x2apic: 1 << 4,
  vpid: 1 << 5,
  wbinvd: 1 << 6,
  unrestricted: 1 << 7,
  apicRegisters: 1 << 8,
  interruptDelivery: 1 << 9,
  pauseLoop: 1 << 10,
  rdrand: 1 << 11,
  invpcid: 1 << 12,
  vmFunctions: 1 << 13,
  vmcsShadowing: 1 << 14,
  rdseed: 1 << 16,
  pml: 1 << 17,
} as const;

/** Controls with no more than the bits that have to be 1 (default1, CR3 exiting excepted). */
export const pin = (bits = 0) => (0x16 | bits) >>> 0;
/** The same of the primary processor-based controls. */
export const processor = (bits = 0) => (0x04006172 | bits) >>> 0;
/** The same of the exit controls of a 64-bit hypervisor. */
export const exit = (bits = 0) => (0x36fff | bits) >>> 0;
/** The same of the entry controls of a 64-bit guest. */
export const entry = (bits = 0) => (0x13ff | bits) >>> 0;

/** Controls that switch on secondary ones. */
export const secondary = (bits: number, primary = 0): Fields => ({
  processorControls: processor(primary | Processor.secondary),
  secondaryControls: bits >>> 0,
});

const segments = ["Es", "Cs", "Ss", "Ds", "Fs", "Gs"] as const;

/** A guest in the hypervisor's own 64-bit mode, at CPL 0, and the hypervisor itself behind it. */
function defaults(labels: ReadonlyMap<string, bigint>, cr4: bigint): Fields {
  const fields: Partial<Record<FieldName, bigint | number>> = {
    pinControls: pin(),
    processorControls: processor(),
    exitControls: exit(),
    entryControls: entry(),
    vmcsLinkPointer: 0xffffffffffffffffn,
    guestTr: 0x68,
    guestTrBase: 0x3000,
    guestTrLimit: 0x67,
    guestTrAccess: 0x8b,
    guestLdtrAccess: 0x10000,
    guestGdtrBase: 0x1000,
    guestGdtrLimit: 0xff,
    guestIdtrBase: 0x2000,
    guestIdtrLimit: 0xfff,
    guestCr0: 0x80010031n,
    guestCr3: 0x10000,
    guestCr4: cr4,
    guestDr7: 0x400,
    guestRsp: NESTED_STACK,
    guestRip: labels.get("nested")!,
    guestRflags: 2,
    hostCr0: 0x80010031n,
    hostCr3: 0x10000,
    hostCr4: cr4,
    hostTr: 0x68,
    hostTrBase: 0x3000,
    hostGdtrBase: 0x1000,
    hostIdtrBase: 0x2000,
    hostRsp: 0x8000,
    hostRip: labels.get("exited")!,
  };
  for (const name of segments) {
    fields[`guest${name}`] = fields[`host${name}`] = name === "Cs" ? 0x28 : 0x30;
    fields[`guest${name}Limit`] = 0xffffffff;
    fields[`guest${name}Access`] = name === "Cs" ? 0xa09b : 0xc093;
  }
  return fields;
}

/** What is read at each exit unless a case names fields of its own. */
export const exitFields = [
  "exitReason",
  "qualification",
  "instructionLength",
  "exitInterruption",
  "vectoring",
  "guestRip",
] as const satisfies readonly FieldName[];

/** What the memory of the hypervisor's two regions has to begin with. */
export function revision({ vcpu }: Pick<DriveContext, "vcpu">): Uint8Array {
  const identifier = vcpu.msrs([0x480])[0].data & 0x7fffffffn;
  return new Uint8Array(new Uint32Array([Number(identifier)]).buffer);
}

/** 64-bit values as memory has them. */
export function quadwords(values: readonly (bigint | number)[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values, (value) => BigInt(value)).buffer);
}

/** Options of {@link prepare}. */
export interface Preparation {
  /** Fields that do not have the default. */
  readonly fields?: Fields;
  /** What is read at an exit. */
  readonly reads?: readonly FieldName[];
  /** How many exits the hypervisor takes before it ends. */
  readonly exits?: number;
  /** CR4 of hypervisor and guest, where the machine has more than VMXE and PAE. */
  readonly cr4?: bigint;
}

/** Puts into memory what {@link hypervisor} needs. */
export function prepare(
  context: Pick<DriveContext, "vcpu" | "write" | "labels">,
  { fields, reads = exitFields, exits = 1, cr4 = 0x2020n }: Preparation = {},
): void {
  const { write, labels } = context;
  write(VMXON, revision(context));
  write(VMCS, revision(context));
  write(DATA, quadwords([VMXON, VMCS, RECORD, exits]));
  const values = Object.entries({ ...defaults(labels, cr4), ...fields });
  write(
    WRITES,
    quadwords([
      values.length,
      ...values.flatMap(([name, value]) => [fieldEncodings[name as FieldName], value!]),
    ]),
  );
  write(READS, quadwords([reads.length, ...reads.map((name) => fieldEncodings[name])]));
}

/** Switches VMX on, with the VMXON region and a VMCS that is current and clear. */
export const enterVmx = `
  mov ecx, 0x3a
  mov eax, 5
  xor edx, edx
  wrmsr
  vmxon [${DATA}]
  vmclear [${DATA + 8}]
  vmptrld [${DATA + 8}]
`;

/** Writes the fields of the table. */
export const writeFields = `
  mov esi, ${WRITES}
  mov ecx, [rsi]
  write_field:
  mov rax, [rsi + 8]
  vmwrite rax, [rsi + 16]
  add esi, 16
  dec ecx
  jnz write_field
  xor eax, eax
  xor esi, esi
`;

/** Ends the blocking of NMIs, on the hypervisor's own stack. */
export const unblockNmis = `
  push 0x30
  push 0x8000
  push 2
  push 0x28
  push unblocked
  iretq
  unblocked:
`;

/** What {@link unblockNmis} leaves on the stack. */
export const unblockedStack = "= mem 0x7fd8 u64 [* 0x28 0x2 0x8000 0x30]";

/** What stands behind an exit: reads the fields, and goes on unless it was the last. */
export function handleExit(
  { skip = true, before = "", ending = "hlt" }: {
    /** The instruction that has exited is skipped before the guest goes on. */
    skip?: boolean;
    /** What is done before the guest goes on. */
    before?: string;
    /** What is done behind the last exit. */
    ending?: string;
  } = {},
): string {
  return `
  exited:
  mov [${DATA + 0x20}], rax
  mov [${DATA + 0x28}], rcx
  mov [${DATA + 0x30}], rsi
  mov [${DATA + 0x38}], rdi
  mov edi, [${DATA + 0x10}]
  mov esi, ${READS}
  mov ecx, [rsi]
  read_field:
  add esi, 8
  mov rax, [rsi]
  vmread [rdi], rax
  add edi, 8
  dec ecx
  jnz read_field
  mov [${DATA + 0x10}], edi
  dec dword [${DATA + 0x18}]
  jz ended
  ${before}
  ${
    skip
      ? `
  mov eax, 0x440c
  vmread rcx, rax
  mov eax, 0x681e
  vmread rsi, rax
  add rsi, rcx
  vmwrite rax, rsi
  `
      : ""
  }
  mov rax, [${DATA + 0x20}]
  mov rcx, [${DATA + 0x28}]
  mov rsi, [${DATA + 0x30}]
  mov rdi, [${DATA + 0x38}]
  vmresume
  out 0xee, al
  ended:
  mov rax, [${DATA + 0x20}]
  mov rcx, [${DATA + 0x28}]
  mov rsi, [${DATA + 0x30}]
  mov rdi, [${DATA + 0x38}]
  ${ending}
`;
}

/** Behind a VMLAUNCH that failed: flags and VM-instruction error are recorded. */
export const handleFailure = `
  pushfq
  pop rax
  mov [${RECORD}], rax
  mov eax, 0x4400
  vmread [${RECORD + 8}], rax
  mov eax, 0
  hlt
`;

/** A hypervisor that launches its guest, at the label `nested`, once. */
export function hypervisor(
  { launch = "vmlaunch", ...options }: Parameters<typeof handleExit>[0] & {
    /** What is done last, VMLAUNCH at its end. */
    launch?: string;
  } = {},
): string {
  return `
  ${enterVmx}
  ${writeFields}
  ${launch}
  ${handleFailure}
  ${handleExit(options)}
`;
}

/** A value of a trace. */
export type Value = bigint | number | string;

/** What an exit of the nested guest is expected to leave in the fields that are read. */
export type ExpectedExit = Readonly<Partial<Record<FieldName, Value>>>;

const text = (value: Value) => typeof value === "string" ? value : `0x${value.toString(16)}`;

/** The records of exits as a line of memory; a field not named is 0. */
export function recorded(
  exits: readonly ExpectedExit[],
  reads: readonly FieldName[] = exitFields,
): string {
  const values = exits.flatMap((exit) => reads.map((name) => text(exit[name] ?? 0)));
  return `= mem 0x${RECORD.toString(16)} u64 [${values.join(" ")}]`;
}

/** What the hypervisor has put down on the way. KVM keeps a VMCS to itself until VMCLEAR. */
const scratch = `
  = mem 0x${DATA.toString(16)} u64 [0x${VMXON.toString(16)} 0x${VMCS.toString(16)} * * * * * *]
`;

/** What VMCLEAR of a VMCS that was current may write. */
export const flushed = `= mem 0x${(VMCS + 8).toString(16)} u64 [${Array(511).fill("*").join(" ")}]`;

/** How a hypervisor ends behind exits: its limits of GDT and IDT are those that an exit gives. */
export function after(flags: number): string {
  return `
    = gdt.limit 0xffff
    = idt.limit 0xffff
    = rflags 0x${flags.toString(16)}
    ${scratch}
  `;
}

/** The same behind {@link handleExit}'s HLT. */
export const afterExits = after(0x46);

/** How it ends when VMLAUNCH failed: ZF and the error number of SDM 3C 31.4. */
export function failedEntry(error: number, flags = 0x42): string {
  return `
  hlt
  = rflags 0x2
  = mem 0x7ff8 u64 0x${flags.toString(16)}
  = mem 0x${RECORD.toString(16)} u64 [0x${flags.toString(16)} 0x${error.toString(16)}]
  ${scratch}
`;
}

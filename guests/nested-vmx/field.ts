import { asm, defineCases } from "../../mod.ts";
import { fieldEncodings, type FieldName, fieldWidth } from "./_fields.ts";
import {
  DATA,
  enterVmx,
  flushed,
  machine,
  quadwords,
  requires,
  revision,
  VMCS,
  VMXON,
} from "./_vmx.ts";

/** Fields that are there whatever the processor's features. */
const names = (Object.keys(fieldEncodings) as FieldName[]).filter((name) =>
  // Access rights may lose reserved bits, as may what an exit writes.
  !/^(eoi|posted|guestBnd|pml|xss|encls|tscMultiplier|eptpList|vmFunction|guestInterruptStatus)/
    .test(name)
);
const wide = names.filter((name) => fieldEncodings[name] >> 13 === 1);
const isReadOnly = (name: FieldName) => (fieldEncodings[name] >> 10 & 3) === 1;
const writable = names.filter((name) => !isReadOnly(name));
const isAccess = (name: FieldName) => /Access$/.test(name);

interface Access {
  encoding: number;
  value: bigint;
}

interface Row {
  writes: readonly Access[];
  /** What is done between writing and reading. */
  between?: string;
  reads: readonly Access[];
}

const mask = (name: FieldName) => isAccess(name) ? 0x1f0ffn : (1n << BigInt(fieldWidth(name))) - 1n;
/** A value that no other field has. */
const distinct = (name: FieldName) =>
  (BigInt(fieldEncodings[name]) * 0x1_0003_0005_0009n ^ 0x1357_9bdf_0246_8acen) & mask(name);
const of = (list: readonly FieldName[], value: (name: FieldName) => bigint, high = 0): Access[] =>
  list.map((name) => ({ encoding: fieldEncodings[name] + high, value: value(name) }));

const flush = `vmclear [${DATA + 8}]\nvmptrld [${DATA + 8}]`;
const all = of(writable, distinct);
const low = 0xffffffffn;

const rows: Record<string, Row> = {
  distinct: { writes: all, reads: all },
  // VMCLEAR writes the fields to memory and VMPTRLD reads them.
  "through-memory": { writes: all, between: flush, reads: all },
  // What is beyond a field's width is dropped.
  ones: { writes: of(writable, () => ~0n & (1n << 64n) - 1n), reads: of(writable, mask) },
  // The bits above 31 of a 64-bit field are a field of their own.
  "high-read": {
    writes: of(wide.filter((name) => !isReadOnly(name)), distinct),
    reads: of(wide.filter((name) => !isReadOnly(name)), (name) => distinct(name) >> 32n, 1),
  },
  "high-write": {
    writes: [
      ...of(wide.filter((name) => !isReadOnly(name)), distinct),
      ...of(wide.filter((name) => !isReadOnly(name)), () => 0xfedcba98_76543210n, 1),
    ],
    reads: of(
      wide.filter((name) => !isReadOnly(name)),
      (name) => distinct(name) & low | 0x76543210n << 32n,
    ),
  },
  // A processor that says so in IA32_VMX_MISC has no read-only fields.
  "read-only": {
    writes: of(names.filter(isReadOnly), distinct),
    between: flush,
    reads: of(names.filter(isReadOnly), distinct),
  },
};

const TABLE = 0x100000;

/** Every field of a VMCS keeps what VMWRITE gives it, as wide as it is, and no other field changes. */
export default defineCases("nested-vmx/field", rows, ({ writes, between = "", reads }) => ({
  spec: [
    "SDM 3C 25.11.2: VMREAD, VMWRITE, and encodings of VMCS fields",
    "SDM 3D B: field encoding",
  ],
  mode: "long",
  requires,
  machine,
  guest: asm`
    ${enterVmx}
    mov esi, ${TABLE}
    mov ecx, ${writes.length}
    write:
    mov rax, [rsi]
    mov rbx, [rsi + 8]
    vmwrite rax, rbx
    jbe failed
    add esi, 16
    loop write
    ${between}
    mov ecx, ${reads.length}
    read:
    mov rax, [rsi]
    mov rdx, 0x5555555555555555
    vmread rdx, rax
    jbe failed
    mov [rsi + 8], rdx
    add esi, 16
    loop read
    xor eax, eax
    xor ebx, ebx
    xor edx, edx
    xor esi, esi
    hlt
    failed:
    out 0xee, eax
  `,
  drive: (context) => {
    context.vm.memory.addRam(TABLE, 0x4000, { slot: 1 });
    context.write(VMXON, revision(context));
    context.write(VMCS, revision(context));
    context.write(DATA, quadwords([VMXON, VMCS]));
    context.write(TABLE, quadwords(writes.flatMap(({ encoding, value }) => [encoding, value])));
    context.write(
      TABLE + writes.length * 16,
      quadwords(reads.flatMap(({ encoding }) => [encoding, 0n])),
    );
    context.run();
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x4000
    hlt
    = rflags 0x46
    = mem 0x${(TABLE + writes.length * 16).toString(16)} u64 [${
    reads.map(({ encoding, value }) => `0x${encoding.toString(16)} 0x${value.toString(16)}`)
      .join(" ")
  }]
    ${flushed}
  `,
}));

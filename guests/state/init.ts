import { asm, defineCases, type Vcpu } from "../../mod.ts";
import { localApics } from "../apic/_local_apics.ts";
import { offered } from "../_cpuid.ts";
import { Random } from "./_random.ts";

interface Row {
  /** What the processor has before INIT. */
  readonly before: (vcpu: Vcpu) => void;
  /** What of it there is to see behind INIT, and what it must be. */
  readonly behind: (vcpu: Vcpu) => readonly [seen: unknown, expected: unknown];
}

/** CD and NW of CR0. */
const CACHE_BITS = 0x60000000n;
/** INIT, to the APIC id 1. */
const INIT = { address: 0xfee01000, data: 0x500 };
const INIT_RECEIVED = 2;

const random = () => new Random(0x1111);

function control(before: bigint, behind: bigint): Row {
  return {
    before: (vcpu) => vcpu.setSregs({ ...vcpu.sregs(), cr0: before }),
    behind: (vcpu) => [vcpu.sregs().cr0, behind],
  };
}

function kept(values: readonly (readonly [index: number, data: bigint])[]): Row {
  const entries = values.map(([index, data]) => ({ index, data }));
  return {
    before: (vcpu) => vcpu.setMsrs(entries),
    behind: (vcpu) => [vcpu.msrs(values.map(([index]) => index)), entries],
  };
}

const rows: Record<string, Row> = {
  // EDX is what CPUID tells of the processor's version in EAX.
  "registers": {
    before: (vcpu) => {
      const { rip: _, rflags: __, ...general } = vcpu.regs();
      const names = Object.keys(general);
      const values = names.map((name, number) => [name, BigInt(0x1000 + number)]);
      vcpu.setRegs({ ...vcpu.regs(), ...Object.fromEntries(values), rip: 0x123n, rflags: 0x8d7n });
    },
    behind: (vcpu) => {
      const version = vcpu.cpuid().find((entry) => entry.function === 1)!.eax;
      const names = Object.keys(vcpu.regs()).map((name) => [name, 0n]);
      const changed = { rdx: BigInt(version), rip: 0xfff0n, rflags: 2n };
      return [vcpu.regs(), { ...Object.fromEntries(names), ...changed }];
    },
  },
  "debug-registers": {
    before: (vcpu) =>
      vcpu.setDebugRegs({
        db: [0x1000n, 0x2000n, 0x3000n, 0x4000n],
        dr6: 0xffff4ff3n,
        dr7: 0x4aan,
        flags: 0n,
      }),
    behind: (vcpu) => [
      vcpu.debugRegs(),
      { db: [0n, 0n, 0n, 0n], dr6: 0xffff0ff0n, dr7: 0x400n, flags: 0n },
    ],
  },
  "page-fault-address": {
    before: (vcpu) => vcpu.setSregs({ ...vcpu.sregs(), cr2: 0x123456n }),
    behind: (vcpu) => [vcpu.sregs().cr2, 0n],
  },
  "task-priority": {
    before: (vcpu) => vcpu.setSregs({ ...vcpu.sregs(), cr8: 5n }),
    behind: (vcpu) => [vcpu.sregs().cr8, 0n],
  },
  // PE, MP, TS and NE are cleared, ET is always 1; CD and NW stay as they are.
  "cache-disabled": control(CACHE_BITS | 0x3bn, CACHE_BITS | 0x10n),
  "cache-enabled": control(0x3bn, 0x10n),
  "no-fill": control(0x40000000n | 0x10n, 0x40000010n),
  "page-attributes": kept([[0x277, 0x0007040600070401n]]),
  "sysenter": kept([[0x174, 0x10n], [0x175, 0x2345n], [0x176, 0x3456n]]),
  "syscall": kept([
    [0xc0000081, 0x0023001000000000n],
    [0xc0000082, 0x1234n],
    [0xc0000084, 0x700n],
  ]),
  "swapped-base": kept([[0xc0000102, 0x7654321n]]),
  "floating-point": {
    before: (vcpu) => vcpu.setFpu(floatingPoint(vcpu)),
    behind: (vcpu) => [vcpu.fpu(), floatingPoint(vcpu)],
  },
};

function floatingPoint(vcpu: Vcpu) {
  const from = random();
  const xmm = Array.from({ length: 16 }, () => from.bytes(16));
  return { ...vcpu.fpu(), xmm, fcw: 0x27f };
}

/** INIT resets a processor, but not all of it. */
export default defineCases("state/init", rows, ({ before, behind }) => ({
  spec: [
    "SDM 3A 10.1: processor state after reset, table 10-1 (INIT)",
    "KVM API 4.38: KVM_GET_MP_STATE",
  ],
  mode: "real",
  requires: [
    "KVM_CAP_IRQCHIP",
    "KVM_CAP_SIGNAL_MSI",
    { capability: "KVM_CAP_MAX_VCPUS", atLeast: 2 },
  ],
  guest: asm`hlt`,
  drive: (context) => {
    const local = localApics(context, [{ vcpu: 0 }, { vcpu: 1 }]);
    using vm = local.vm;
    const vcpu = local.vcpus[1]!;
    vcpu.setCpuid(offered());
    vcpu.setMpState(0);
    before(vcpu);
    vm.irq.signalMsi(INIT);
    context.assertEquals("KVM_GET_MP_STATE", vcpu.mpState(), INIT_RECEIVED);
    const [seen, expected] = behind(vcpu);
    context.assertEquals("the state behind INIT", seen, expected);
  },
  trace: `hlt`,
}));

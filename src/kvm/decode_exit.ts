import { exitDetails, exitReasons as reasons, internalErrors } from "../../ffi/abi/exits.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { decode } from "../../ffi/abi/layout.ts";
import {
  kvm_run,
  kvm_run_debug,
  kvm_run_emulation_failure,
  kvm_run_eoi,
  kvm_run_ex,
  kvm_run_fail_entry,
  kvm_run_hw,
  kvm_run_hypercall,
  kvm_run_hyperv_hcall,
  kvm_run_hyperv_syndbg,
  kvm_run_hyperv_synic,
  kvm_run_internal,
  kvm_run_io,
  kvm_run_memory_fault,
  kvm_run_mmio,
  kvm_run_msr,
  kvm_run_notify,
  kvm_run_padding,
  kvm_run_system_event,
  kvm_run_tpr_access,
  kvm_run_xen_hcall,
} from "../../ffi/abi/run.ts";
import type { Exit, MsrExit } from "./exit.ts";

// The two exits that a run loop lives on are read by hand: the offsets are constants to the compiler.
const EXIT_REASON = kvm_run.fields.exit_reason[0];
const IO_DIRECTION = kvm_run_io.fields.direction[0];
const IO_SIZE = kvm_run_io.fields.size[0];
const IO_PORT = kvm_run_io.fields.port[0];
const IO_COUNT = kvm_run_io.fields.count[0];
const IO_DATA_OFFSET = kvm_run_io.fields.data_offset[0];
const MMIO_ADDRESS = kvm_run_mmio.fields.phys_addr[0];
const MMIO_DATA = kvm_run_mmio.fields.data[0];
const MMIO_LENGTH = kvm_run_mmio.fields.len[0];
const MMIO_IS_WRITE = kvm_run_mmio.fields.is_write[0];

/** Reads why KVM_RUN returned out of the area it shares (`struct kvm_run`, KVM API 5). */
export function decodeExit(run: DataView): Exit {
  const reason = run.getUint32(EXIT_REASON, true);
  switch (reason) {
    case reasons.KVM_EXIT_IO:
      return decodePio(run);
    case reasons.KVM_EXIT_MMIO:
      return decodeMmio(run);
    case reasons.KVM_EXIT_HLT:
      return { reason: "hlt" };
    case reasons.KVM_EXIT_SHUTDOWN:
      return { reason: "shutdown" };
    case reasons.KVM_EXIT_IRQ_WINDOW_OPEN:
      return { reason: "irq-window" };
    case reasons.KVM_EXIT_NMI:
      return { reason: "nmi" };
    case reasons.KVM_EXIT_SET_TPR:
      return { reason: "set-tpr" };
    case reasons.KVM_EXIT_DIRTY_RING_FULL:
      return { reason: "dirty-ring-full" };
    case reasons.KVM_EXIT_X86_BUS_LOCK:
      return { reason: "bus-lock" };
    case reasons.KVM_EXIT_DEBUG: {
      const { arch } = decode(kvm_run_debug, run);
      return { reason: "debug", ...arch };
    }
    case reasons.KVM_EXIT_INTERNAL_ERROR:
      return decodeInternalError(run);
    case reasons.KVM_EXIT_FAIL_ENTRY: {
      const entry = decode(kvm_run_fail_entry, run);
      return {
        reason: "fail-entry",
        hardwareReason: entry.hardware_entry_failure_reason,
        cpu: entry.cpu,
      };
    }
    case reasons.KVM_EXIT_SYSTEM_EVENT: {
      const { type, ndata, data } = decode(kvm_run_system_event, run);
      return { reason: "system-event", type, data: data.slice(0, ndata) };
    }
    case reasons.KVM_EXIT_X86_RDMSR:
    case reasons.KVM_EXIT_X86_WRMSR:
      return decodeMsr(run, reason === reasons.KVM_EXIT_X86_RDMSR ? "rdmsr" : "wrmsr");
    case reasons.KVM_EXIT_HYPERCALL: {
      const { nr, args, flags } = decode(kvm_run_hypercall, run);
      return { reason: "hypercall", number: nr, args, flags };
    }
    case reasons.KVM_EXIT_TPR_ACCESS: {
      const { rip, is_write } = decode(kvm_run_tpr_access, run);
      return { reason: "tpr-access", rip, isWrite: is_write !== 0 };
    }
    case reasons.KVM_EXIT_IOAPIC_EOI:
      return { reason: "ioapic-eoi", vector: decode(kvm_run_eoi, run).vector };
    case reasons.KVM_EXIT_NOTIFY:
      return { reason: "notify", flags: decode(kvm_run_notify, run).flags };
    case reasons.KVM_EXIT_MEMORY_FAULT: {
      const { flags, gpa, size } = decode(kvm_run_memory_fault, run);
      return { reason: "memory-fault", flags, address: gpa, size };
    }
    case reasons.KVM_EXIT_EXCEPTION: {
      const { exception, error_code } = decode(kvm_run_ex, run);
      return { reason: "exception", exception, errorCode: error_code };
    }
    case reasons.KVM_EXIT_AP_RESET_HOLD:
      return { reason: "ap-reset-hold" };
    case reasons.KVM_EXIT_HYPERV:
      return decodeHyperv(run);
    case reasons.KVM_EXIT_XEN:
      return decodeXen(run);
    default:
      return decodeRest(reason, run);
  }
}

const otherArchitectures: ReadonlyMap<number, string> = new Map(
  Object.entries(reasons)
    .filter(([name]) => /_(S390|PAPR|RISCV|LOONGARCH|ARM)_|_(DCR|OSI|EPR|WATCHDOG)$/.test(name))
    .map(([name, number]) => [number, name]),
);

function decodeRest(exitReason: number, run: DataView): Exit {
  const bytes = decode(kvm_run_padding, run).padding as Uint8Array<ArrayBuffer>;
  const name = otherArchitectures.get(exitReason);
  if (name !== undefined) return { reason: "other-architecture", name, exitReason, bytes };
  const hardwareReason = exitReason === reasons.KVM_EXIT_UNKNOWN
    ? decode(kvm_run_hw, run).hardware_exit_reason
    : 0n;
  return { reason: "unknown", exitReason, hardwareReason, bytes };
}

function decodeInternalError(run: DataView): Exit {
  const { suberror, ndata, data } = decode(kvm_run_internal, run);
  const exit = { reason: "internal-error", suberror, data: data.slice(0, ndata) } as const;
  // Two words: the flags, and the instruction that one of them says is there.
  if (suberror !== internalErrors.KVM_INTERNAL_ERROR_EMULATION || ndata < 3) return exit;
  const { flags, insn_size, insn_bytes } = decode(kvm_run_emulation_failure, run);
  const told = exitDetails.KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
  if ((flags & BigInt(told)) === 0n) return exit;
  return { ...exit, instruction: insn_bytes.slice(0, insn_size) as Uint8Array<ArrayBuffer> };
}

function decodeHyperv(run: DataView): Exit {
  switch (decode(kvm_run_hyperv_hcall, run).type) {
    case exitDetails.KVM_EXIT_HYPERV_SYNIC: {
      const { msr, control, evt_page, msg_page } = decode(kvm_run_hyperv_synic, run).u.synic;
      return {
        reason: "hyperv-synic",
        msr,
        control,
        eventPage: evt_page,
        messagePage: msg_page,
      };
    }
    case exitDetails.KVM_EXIT_HYPERV_HCALL: {
      const { input, params } = decode(kvm_run_hyperv_hcall, run).u.hcall;
      return { reason: "hyperv-hypercall", input, params };
    }
    case exitDetails.KVM_EXIT_HYPERV_SYNDBG: {
      const { syndbg } = decode(kvm_run_hyperv_syndbg, run).u;
      return {
        reason: "hyperv-debug",
        msr: syndbg.msr,
        control: syndbg.control,
        sendPage: syndbg.send_page,
        receivePage: syndbg.recv_page,
        pendingPage: syndbg.pending_page,
      };
    }
    default:
      return decodeRest(reasons.KVM_EXIT_HYPERV, run);
  }
}

function decodeXen(run: DataView): Exit {
  const { type, u: { hcall } } = decode(kvm_run_xen_hcall, run);
  if (type !== exitDetails.KVM_EXIT_XEN_HCALL) return decodeRest(reasons.KVM_EXIT_XEN, run);
  const { longmode, cpl, input, params } = hcall;
  return { reason: "xen-hypercall", longMode: longmode !== 0, cpl, input, params };
}

function decodePio(run: DataView): Exit {
  const size = run.getUint8(IO_SIZE) as 1 | 2 | 4;
  const port = run.getUint16(IO_PORT, true);
  const count = run.getUint32(IO_COUNT, true);
  if (run.getUint8(IO_DIRECTION) !== exitDetails.KVM_EXIT_IO_OUT) {
    return { reason: "pio", direction: "in", port, size, count, values: [] };
  }
  let at = run.getUint32(IO_DATA_OFFSET, true);
  const first = element(run, at, size);
  if (count === 1) return { reason: "pio", direction: "out", port, size, count, values: [first] };
  const values = [first];
  while (values.length < count) values.push(element(run, at += size, size));
  return { reason: "pio", direction: "out", port, size, count, values };
}

function element(run: DataView, at: number, size: number): number {
  if (size === 1) return run.getUint8(at);
  return size === 2 ? run.getUint16(at, true) : run.getUint32(at, true);
}

function decodeMmio(run: DataView): Exit {
  const address = run.getBigUint64(MMIO_ADDRESS, true);
  const size = run.getUint32(MMIO_LENGTH, true);
  if (run.getUint8(MMIO_IS_WRITE) === 0) {
    return { reason: "mmio", direction: "read", address, size, value: 0n };
  }
  const data = run.getBigUint64(MMIO_DATA, true);
  const value = size === 8 ? data : BigInt.asUintN(8 * size, data);
  return { reason: "mmio", direction: "write", address, size, value };
}

function decodeMsr(run: DataView, reason: "rdmsr" | "wrmsr"): MsrExit {
  const { reason: bits, index, data } = decode(kvm_run_msr, run);
  const why = bits === constants.KVM_MSR_EXIT_REASON_FILTER
    ? "filter"
    : bits === constants.KVM_MSR_EXIT_REASON_INVAL
    ? "inval"
    : "unknown";
  return { reason, index, why, value: reason === "wrmsr" ? data : 0n };
}

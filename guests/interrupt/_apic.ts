import { asm } from "../../mod.ts";

/** Where a guest that uses these finds the IOAPIC (RDI) and its local APIC (RSI). */
export const apicRegisters = { rdi: 0xfec00000n, rsi: 0xfee00000n };

/** Enables the local APIC with SVR, spurious vector 0xff. */
export const enableApic = asm`
  mov dword [rsi + 0xf0], 0x1ff
`;

/**
 * Writes the redirection entry of an IOAPIC pin, upper half first.
 *
 * @param low vector, delivery mode (bit 8), destination mode (11), polarity (13), trigger (15),
 * mask (16)
 * @param destination local APIC id, or logical destination
 */
export function redirect(pin: number, low: number, destination = 0): ReturnType<typeof asm> {
  return asm`
    mov dword [rdi], ${0x11 + 2 * pin}
    mov dword [rdi + 0x10], ${destination << 24}
    mov dword [rdi], ${0x10 + 2 * pin}
    mov dword [rdi + 0x10], ${low}
  `;
}

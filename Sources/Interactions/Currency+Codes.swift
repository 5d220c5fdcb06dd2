extension Currency {
    /// Whether ISO 4217 has a code, or had it since 1990: old exports name marks and francs. The code is in upper case. O(1).
    public static func isKnown(_ code: String) -> Bool { current.contains(code) || withdrawn.contains(code) }

    /// An amount of minor units as one of the currency, as JSON writes it: 1999 of EUR is 19.99, of JPY 1999; nil where the text is no
    /// whole number in digits. O(digits).
    public static func amount(ofMinorUnits text: String, _ code: String) -> String? {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
        guard digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), let whole = Int64(text) else { return nil }
        return (whole < 0 ? "-" : "") + ExactDecimal.text(units: UInt128(whole.magnitude), digits: minorUnitDigits(code))
    }

    private static let current = codes(
        """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF
        CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
        INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
        MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE
        SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG
        XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG
        """)

    private static let withdrawn = codes(
        """
        ADP AFA ATS AYM AZM BEF BGL BRC BRN BRR BYB BYR CSD CUC CYP DDM DEM ECS EEK ESP FIM FRF GHC GRD GWP HRD HRK IEP ITL LTL LUF LVL
        MGF MLF MRO MTL MZM NLG PEI PLZ PTE ROL RUR SDD SDP SIT SKK SLL SRG STD SUR TJR TMM TPE TRL UAK USS VEB VEF XEU YUM YUN ZAL ZMK
        ZRN ZRZ ZWD ZWL ZWR
        """)

    private static func codes(_ text: String) -> Set<String> { Set(text.split { $0 == " " || $0 == "\n" }.map(String.init)) }
}

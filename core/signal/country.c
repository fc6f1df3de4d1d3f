#include "signal/country.h"

/* Country and continent, in order. "XK" is the code in use for Kosovo. */
static const char continents[] =
	"ADEU" "AEAS" "AFAS" "AGNA" "AINA" "ALEU" "AMAS" "AOAF" "AQAN" "ARSA" "ASOC" "ATEU" "AUOC" "AWNA" "AXEU" "AZAS"
	"BAEU" "BBNA" "BDAS" "BEEU" "BFAF" "BGEU" "BHAS" "BIAF" "BJAF" "BLNA" "BMNA" "BNAS" "BOSA" "BQNA" "BRSA" "BSNA"
	"BTAS" "BVAN" "BWAF" "BYEU" "BZNA" "CANA" "CCAS" "CDAF" "CFAF" "CGAF" "CHEU" "CIAF" "CKOC" "CLSA" "CMAF" "CNAS"
	"COSA" "CRNA" "CUNA" "CVAF" "CWNA" "CXOC" "CYEU" "CZEU" "DEEU" "DJAF" "DKEU" "DMNA" "DONA" "DZAF" "ECSA" "EEEU"
	"EGAF" "EHAF" "ERAF" "ESEU" "ETAF" "FIEU" "FJOC" "FKSA" "FMOC" "FOEU" "FREU" "GAAF" "GBEU" "GDNA" "GEAS" "GFSA"
	"GGEU" "GHAF" "GIEU" "GLNA" "GMAF" "GNAF" "GPNA" "GQAF" "GREU" "GSAN" "GTNA" "GUOC" "GWAF" "GYSA" "HKAS" "HMAN"
	"HNNA" "HREU" "HTNA" "HUEU" "IDAS" "IEEU" "ILAS" "IMEU" "INAS" "IOAS" "IQAS" "IRAS" "ISEU" "ITEU" "JEEU" "JMNA"
	"JOAS" "JPAS" "KEAF" "KGAS" "KHAS" "KIOC" "KMAF" "KNNA" "KPAS" "KRAS" "KWAS" "KYNA" "KZAS" "LAAS" "LBAS" "LCNA"
	"LIEU" "LKAS" "LRAF" "LSAF" "LTEU" "LUEU" "LVEU" "LYAF" "MAAF" "MCEU" "MDEU" "MEEU" "MFNA" "MGAF" "MHOC" "MKEU"
	"MLAF" "MMAS" "MNAS" "MOAS" "MPOC" "MQNA" "MRAF" "MSNA" "MTEU" "MUAF" "MVAS" "MWAF" "MXNA" "MYAS" "MZAF" "NAAF"
	"NCOC" "NEAF" "NFOC" "NGAF" "NINA" "NLEU" "NOEU" "NPAS" "NROC" "NUOC" "NZOC" "OMAS" "PANA" "PESA" "PFOC" "PGOC"
	"PHAS" "PKAS" "PLEU" "PMNA" "PNOC" "PRNA" "PSAS" "PTEU" "PWOC" "PYSA" "QAAS" "REAF" "ROEU" "RSEU" "RUEU" "RWAF"
	"SAAS" "SBOC" "SCAF" "SDAF" "SEEU" "SGAS" "SHAF" "SIEU" "SJEU" "SKEU" "SLAF" "SMEU" "SNAF" "SOAF" "SRSA" "SSAF"
	"STAF" "SVNA" "SXNA" "SYAS" "SZAF" "TCNA" "TDAF" "TFAN" "TGAF" "THAS" "TJAS" "TKOC" "TLOC" "TMAS" "TNAF" "TOOC"
	"TRAS" "TTNA" "TVOC" "TWAS" "TZAF" "UAEU" "UGAF" "UMOC" "USNA" "UYSA" "UZAS" "VAEU" "VCNA" "VESA" "VGNA" "VINA"
	"VNAS" "VUOC" "WFOC" "WSOC" "XKEU" "YEAS" "YTAF" "ZAAF" "ZMAF" "ZWAF";
static const char union_members[] = "ATBEBGCYCZDEDKEEESFIFRGRHRHUIEITLTLULVMTNLPLPTROSESISK" /* the 27 */
	"AXGFGPMFMQREYT"; /* Åland; French Guiana, Guadeloupe, Saint Martin, Martinique, Réunion, Mayotte */

static bool read_code(struct fw_str code, char upper[2])
{
	if (code.n != 2)
		return false;
	for (int i = 0; i < 2; i++) {
		char c = fw_fold_char(code.p[i]);
		if (c < 'a' || c > 'z')
			return false;
		upper[i] = (char)(c - 'a' + 'A');
	}
	return true;
}

struct fw_str fw_country_continent(struct fw_str code)
{
	char upper[2];
	if (!read_code(code, upper))
		return (struct fw_str){ 0 };
	size_t low = 0, high = (sizeof continents - 1) / 4;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = memcmp(upper, continents + middle * 4, 2);
		if (order == 0)
			return (struct fw_str){ continents + middle * 4 + 2, 2 };
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return (struct fw_str){ 0 };
}

bool fw_country_in_eu(struct fw_str code)
{
	char upper[2];
	if (!read_code(code, upper))
		return false;
	for (size_t i = 0; i + 2 < sizeof union_members; i += 2)
		if (memcmp(upper, union_members + i, 2) == 0)
			return true;
	return false;
}

/* A PKCS #11 module in front of another one. It answers with an error of our
   choice where a real token would have to be filled, locked or pulled out:

     SHIM_MODULE    the module behind it
     SHIM_FUNCTION  C_Login, C_GenerateKeyPair, C_Sign or C_OpenSession
     SHIM_AFTER     how many calls of it go through first
     SHIM_CODE      the CK_RV that the later ones return, in hexadecimal */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "pkcs11go.h"

static CK_FUNCTION_LIST_PTR real;
static CK_FUNCTION_LIST list;
static atomic_long calls;

static CK_RV fault(const char *function) {
	const char *which = getenv("SHIM_FUNCTION"), *after = getenv("SHIM_AFTER"), *code = getenv("SHIM_CODE");
	if (!which || strcmp(which, function))
		return CKR_OK;
	if (atomic_fetch_add(&calls, 1) < (after ? atol(after) : 0))
		return CKR_OK;
	return code ? strtoul(code, NULL, 16) : CKR_OK;
}

static CK_RV login(CK_SESSION_HANDLE s, CK_USER_TYPE u, CK_UTF8CHAR_PTR p, CK_ULONG n) {
	CK_RV rv = fault("C_Login");
	return rv ? rv : real->C_Login(s, u, p, n);
}
static CK_RV generate(CK_SESSION_HANDLE s, CK_MECHANISM_PTR m, CK_ATTRIBUTE_PTR a, CK_ULONG an, CK_ATTRIBUTE_PTR b, CK_ULONG bn,
	CK_OBJECT_HANDLE_PTR x, CK_OBJECT_HANDLE_PTR y) {
	CK_RV rv = fault("C_GenerateKeyPair");
	return rv ? rv : real->C_GenerateKeyPair(s, m, a, an, b, bn, x, y);
}
static CK_RV sign(CK_SESSION_HANDLE s, CK_BYTE_PTR d, CK_ULONG dn, CK_BYTE_PTR o, CK_ULONG_PTR on) {
	/* Without room for the signature the call only asks for its length. */
	CK_RV rv = o ? fault("C_Sign") : CKR_OK;
	return rv ? rv : real->C_Sign(s, d, dn, o, on);
}
static CK_RV open_session(CK_SLOT_ID i, CK_FLAGS f, CK_VOID_PTR a, CK_NOTIFY n, CK_SESSION_HANDLE_PTR s) {
	CK_RV rv = fault("C_OpenSession");
	return rv ? rv : real->C_OpenSession(i, f, a, n, s);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out) {
	void *module = dlopen(getenv("SHIM_MODULE"), RTLD_NOW);
	if (!module)
		return CKR_GENERAL_ERROR;
	CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
	CK_RV rv = get(&real);
	if (rv)
		return rv;
	list = *real;
	list.C_Login = login;
	list.C_GenerateKeyPair = generate;
	list.C_Sign = sign;
	list.C_OpenSession = open_session;
	atomic_store(&calls, 0);
	*out = &list;
	return CKR_OK;
}

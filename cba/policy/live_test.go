package policy_test

// live is the configuration as a v1.0 GET of July 2026 returned it, without
// white space (captured by the authors of github.com/rknightion/graph2otel).
const live = `{` +
	`"@odata.type":"#microsoft.graph.x509CertificateAuthenticationMethodConfiguration",` +
	`"id":"X509Certificate","state":"disabled","excludeTargets":[],` +
	`"certificateUserBindings":[` +
	`{"x509CertificateField":"PrincipalName","userProperty":"userPrincipalName","priority":1,"trustAffinityLevel":"low"},` +
	`{"x509CertificateField":"RFC822Name","userProperty":"userPrincipalName","priority":2,"trustAffinityLevel":"low"},` +
	`{"x509CertificateField":"SubjectKeyIdentifier","userProperty":"certificateUserIds","priority":3,"trustAffinityLevel":"high"}],` +
	`"authenticationModeConfiguration":{` +
	`"x509CertificateAuthenticationDefaultMode":"x509CertificateSingleFactor",` +
	`"x509CertificateDefaultRequiredAffinityLevel":"low","rules":[]},` +
	`"certificateAuthorityScopes":[],` +
	`"issuerHintsConfiguration":{"state":"disabled"},` +
	`"crlValidationConfiguration":{"state":"disabled","exemptedCertificateAuthoritiesSubjectKeyIdentifiers":[]},` +
	`"includeTargets@odata.context":"https://graph.microsoft.com/v1.0/$metadata#policies/authenticationMethodsPolicy/authenticationMethodConfigurations('X509Certificate')/microsoft.graph.x509CertificateAuthenticationMethodConfiguration/includeTargets",` +
	`"includeTargets":[{"targetType":"group","id":"all_users","isRegistrationRequired":false}]}`

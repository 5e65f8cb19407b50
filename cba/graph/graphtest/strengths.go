package graphtest

var strengthSet = &entitySet[Strength]{
	typ: "authenticationStrengthPolicy", context: "identity/conditionalAccess/authenticationStrength/policies",
	top: 100, most: 999, ops: "eq and or",
	fields: []field[Strength]{
		{name: "id", path: "id", get: func(p *Strength) any { return p.ID }},
		{name: "displayName", path: "displayName", get: func(p *Strength) any { return p.DisplayName }},
		{name: "description", get: func(p *Strength) any { return null(p.Description) }},
		{name: "policyType", path: "policyType", get: func(p *Strength) any {
			if p.Custom {
				return "custom"
			}
			return "builtIn"
		}},
		{name: "requirementsSatisfied", get: func(p *Strength) any {
			if p.MFA {
				return "mfa"
			}
			return "none"
		}},
		{name: "allowedCombinations", get: func(p *Strength) any { return p.AllowedCombinations }},
		{name: "createdDateTime", always: true, get: func(p *Strength) any { return p.CreatedDateTime }},
		{name: "modifiedDateTime", always: true, get: func(p *Strength) any { return p.ModifiedDateTime }},
		// The samples of the reference pages return these inline.
		{name: "combinationConfigurations", get: func(p *Strength) any {
			list := make([]any, len(p.Combinations))
			for i := range p.Combinations {
				list[i] = combinationBody(&p.Combinations[i])
			}
			return list
		}},
	},
}

var combinationSet = &entitySet[Combination]{
	typ: "authenticationCombinationConfiguration", context: "identity/conditionalAccess/authenticationStrength/policies('{id}')/combinationConfigurations",
	top: 100, most: 999,
	fields: []field[Combination]{
		{name: "id", get: func(p *Combination) any { return p.ID }},
		{name: "appliesToCombinations", get: func(p *Combination) any { return p.AppliesToCombinations }},
		{name: "allowedIssuerSkis", get: func(p *Combination) any { return p.AllowedIssuerSKIs }},
		{name: "allowedPolicyOIDs", get: func(p *Combination) any { return p.AllowedPolicyOIDs }},
	},
}

const combinationType = "#microsoft.graph.x509CertificateCombinationConfiguration"

func combinationBody(p *Combination) map[string]any {
	return map[string]any{
		"@odata.type": combinationType, "id": p.ID, "appliesToCombinations": jsonValue(p.AppliesToCombinations),
		"allowedIssuerSkis": jsonValue(p.AllowedIssuerSKIs), "allowedPolicyOIDs": jsonValue(p.AllowedPolicyOIDs),
	}
}

func (s *state) listStrengths(c *call) answer {
	return strengthSet.list(s, c, func(*filter) []found[Strength] { return fixed(s.org.Strengths) })
}

func (s *state) strength(id string) *Strength {
	for i := range s.org.Strengths {
		if s.org.Strengths[i].ID == id {
			return &s.org.Strengths[i]
		}
	}
	return nil
}

func (s *state) getStrength(c *call) answer {
	if p := s.strength(c.params[0]); p != nil {
		return strengthSet.one(c, p)
	}
	return notFound(c.params[0])
}

func (s *state) listCombinations(c *call) answer {
	p := s.strength(c.params[0])
	if p == nil {
		return notFound(c.params[0])
	}
	a := combinationSet.list(s, c, func(*filter) []found[Combination] { return fixed(p.Combinations) })
	if body, ok := a.body.(map[string]any); ok {
		for _, v := range values(body["value"]) {
			v["@odata.type"] = combinationType
		}
	}
	return a
}

func (s *state) getCombination(c *call) answer {
	if p := s.strength(c.params[0]); p != nil {
		for i := range p.Combinations {
			if p.Combinations[i].ID == c.params[1] {
				a := combinationSet.one(c, &p.Combinations[i])
				if body, ok := a.body.(map[string]any); ok {
					body["@odata.type"] = combinationType
				}
				return a
			}
		}
	}
	return notFound(c.params[1])
}

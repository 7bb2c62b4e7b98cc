/**
 * Passwords that are tried first: the commonest of the public lists that are long enough, and words that are as common with a few digits behind
 * them. Short on purpose: the waits between attempts do the rest.
 */
export const commonPasswords: ReadonlySet<string> = new Set(
  `1234567890 12345678910 0123456789 123456789a 1234567891 9876543210 0987654321 1q2w3e4r5t 1qaz2wsx3edc qwertyuiop qwerty12345
   qwertyuiop1 asdfghjkl asdfghjkl1 zaq12wsxcde3 q1w2e3r4t5 1234qwerasdf qazwsxedc qazwsxedcrfv abcdefghij abcdefghijk abcd1234abcd
   password passwort passw0rd p@ssword p@ssw0rd pa$$word motdepasse contraseña administrator administrador admin adminadmin
   rootroot root toor changeme changemenow letmein letmeinnow welcome welcome1234 iloveyou iloveyouforever sunshine princess football baseball
   basketball superman batman dragon monkey shadow master michael jennifer trustno1 whatever starwars computer internet
   mysecretpassword mypassword thisisapassword newpassword secretsecret testtesttest test guest default
   correcthorsebatterystaple thrum thrumthrum thrumpassword monitoring dashboard grafana elasticsearch kubernetes`.split(
    /\s+/,
  ),
);

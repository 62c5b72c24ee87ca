import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.ers.ERSByteData;
import org.bouncycastle.tsp.ers.ERSData;
import org.bouncycastle.tsp.ers.ERSDataGroup;
import org.bouncycastle.tsp.ers.ERSEvidenceRecord;

/** BouncyCastle's reading of a record: ErsCheck RECORD OBJECT..., prints one word a line, exit 1 when anything fails. */
public final class ErsCheck {
    public static void main(String[] arguments) throws Exception {
        DigestCalculatorProvider digests = new JcaDigestCalculatorProviderBuilder().build();
        ERSEvidenceRecord record = new ERSEvidenceRecord(Files.readAllBytes(Path.of(arguments[0])), digests);
        boolean good = true;
        List<ERSData> objects = new ArrayList<>();
        for (int at = 1; at < arguments.length; at++) {
            ERSData data = new ERSByteData(Files.readAllBytes(Path.of(arguments[at])));
            objects.add(data);
            good &= report("object", () -> record.validatePresent(data, new Date()));
        }
        // A list of one hash is no group for BouncyCastle; the object alone says the same.
        if (objects.size() > 1) {
            good &= report("group", () -> record.validatePresent(new ERSDataGroup(objects), new Date()));
        }
        good &= report("signature", () -> record.validate(
            new JcaSimpleSignerInfoVerifierBuilder().build(record.getSigningCertificate())));
        System.exit(good ? 0 : 1);
    }

    private interface Check {
        void run() throws Exception;
    }

    private static boolean report(String what, Check check) {
        try {
            check.run();
            System.out.println(what + " passed");
            return true;
        } catch (Exception error) {
            System.out.println(what + " failed: " + error.getMessage());
            return false;
        }
    }
}
